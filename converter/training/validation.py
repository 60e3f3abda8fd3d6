"""The score of the network as the board would see it: letterboxed, at own size."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from edgeseg.converter.keras_device import segmenter_of
from edgeseg.converter.loading.load import Loaded
from edgeseg.runtime.accuracy.evaluation import Evaluation, evaluate
from edgeseg.runtime.segmenter import Segmenter

if TYPE_CHECKING:
    from edgeseg.runtime.datasets import Dataset


def validate(model: Any, resize: str | None, dataset: Dataset) -> Evaluation:
    """Score a network on pictures with truth.

    Parameters
    ----------
    model : keras.Model
        ``(1, H, W, 3)`` to logits.
    resize : str or None
        Alignment of its output's grid.
    dataset : Dataset
        With the ids that the network gives.
    """
    segmenter = segmenter_of(Loaded(model, resize))
    named = dataclasses.replace(segmenter.manifest, labels=dataset.labels)
    return evaluate(Segmenter(segmenter.device, named), dataset)
