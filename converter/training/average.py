"""The running average of a network's weights, and the score of a network.

The average is steadier than the last step's weights. The score is what the board would
reach: letterboxed, at the pictures' own size.

References
----------
B. Polyak and A. Juditsky, "Acceleration of Stochastic Approximation by Averaging",
SIAM J. Control and Optimization, 1992.
"""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edgeseg.converter.conversion.keras_device import segmenter_of
from edgeseg.converter.loading.format import Loaded
from edgeseg.runtime.accuracy.evaluation import evaluate
from edgeseg.runtime.accuracy.matching import SHARED, Matching
from edgeseg.runtime.segmentation.segmenter import Segmenter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgeseg.converter.frameworks import KerasModel
    from edgeseg.devices.types import Array
    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.accuracy.result import Accuracy


_REACH = 50  # a run is at least so many times as long as the average looks back
_LONGEST = 0.998


def momentum_for(steps: int) -> float:
    """Return a momentum that looks back over a fiftieth of a run.

    Parameters
    ----------
    steps : int
        Of the whole run.

    Examples
    --------
    >>> momentum_for(5000)
    0.99
    """
    return min(_LONGEST, 1 - 1 / max(2.0, steps / _REACH))


class Average:
    """An exponential moving average of all weights of a model.

    Parameters
    ----------
    model : keras.Model
        Its weights at the start are the first average.
    """

    def __init__(self, model: KerasModel) -> None:
        self._model = model
        self.values: list[Array] = [value.copy() for value in weights(model)]
        self.updates = 0

    def restore(self, values: Sequence[Array], updates: int) -> None:
        """Go on from the values of an earlier part of the training.

        Raises
        ------
        ValueError
            They are of another model.
        """
        if [v.shape for v in values] != [v.shape for v in self.values]:
            raise ValueError("an average of other weights")
        self.values = list(values)
        self.updates = updates

    def update(self, momentum: float) -> None:
        """Take a step's weights in; early steps count more."""
        self.updates += 1
        momentum = min(momentum, (1 + self.updates) / (10 + self.updates))
        for mean, value in zip(self.values, weights(self._model), strict=True):
            mean += (1 - momentum) * (value - mean)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the model the averaged weights for the time of a with-block."""
        own = [value.copy() for value in weights(self._model)]
        assign(self._model, self.values)
        try:
            yield
        finally:
            assign(self._model, own)


def weights(model: KerasModel) -> list[Array]:
    """Return the values of all weights of a model."""
    return list(model.get_weights())


def assign(model: KerasModel, values: Sequence[Array]) -> None:
    """Set all weights of a model."""
    model.set_weights(list(values))


def validate(
    model: KerasModel,
    resize: str | None,
    dataset: Dataset,
    judged: tuple[str, ...] | None = None,
) -> Accuracy:
    """Score a network on pictures with truth.

    Parameters
    ----------
    model : keras.Model
        ``(1, H, W, 3)`` to logits.
    resize : str or None
        Alignment of its output's grid.
    dataset : Dataset
        With the ids that the network gives.
    judged : tuple of str or None
        Average over these, all others counted as background; None over all.
    """
    segmenter = segmenter_of(Loaded(model, resize))
    named = dataclasses.replace(segmenter.manifest, labels=dataset.labels)
    matching = SHARED if judged is None else Matching(judged, merge_others=True)
    return evaluate(Segmenter(segmenter.device, named), dataset, matching=matching)
