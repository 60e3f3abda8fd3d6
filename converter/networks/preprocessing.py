"""What a network does to its input before anything else, found and taken out.

Many networks bring pixels to their own scale themselves: by ``Rescaling`` or
``Normalization``, by ``preprocess_input`` in the graph, by a batch normalization in
front. What they then expect is pixels as they are, and scaling them once more in front
would be wrong without a sign of it. Here the operations at the input are tried out on
a few numbers: as long as each is ``x * factor + offset`` for every channel, or turns
RGB around, they are one such step. The step is folded into the scaling that the host
does anyway; the network then starts behind it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.converter.networks.first_operations import (
    PADDING,
    Affine,
    FirstOperations,
    ancestors,
    fitted,
    hands_on,
)
from edgeseg.converter.networks.graph import LayerGraph
from edgeseg.devices import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.frameworks import KerasModel, KerasTensor
    from edgeseg.converter.networks.graph import LayerCall
    from edgeseg.runtime import Manifest

    Channels = NDArray[np.float64]  # one number a channel

# How pixels 0..255 may come to a network, as (mean, standard deviation) of a division
PIXEL_RANGES = {"0..255": (0.0, 1.0), "0..1": (0.0, 255.0), "-1..1": (127.5, 127.5)}
# ... and factor and offset that make them of -1..1
_FROM_UNIT = {"0..255": 127.5, "0..1": 0.5}
# Mean and standard deviation of photos with pixels 0..1
_PHOTO = (0.45, 0.27)
# ... and what networks make of them: 0..1, -1..1, standardized, mean taken off, pixels
_WANTED = ((0.45, 0.27), (-0.1, 0.54), (0.0, 1.1), (0.0, 69.0), (115.0, 69.0))
_FARTHEST, _CLEARLY = 2.0, 1.0  # of distances in `_range`
_MOST_UNEVEN = 4.0  # factors of channels that share one int8 scale


@dataclass(frozen=True)
class InputScaling:
    """The scaling with which a network begins.

    Parameters
    ----------
    layers : tuple of str
        Kind and name of the operations, in order.
    pixels : str or None
        What the network expects: a key of `PIXEL_RANGES`; None where that cannot be
        known from the numbers.
    is_first : bool
        Whether nothing stands before it; zeros padded there would be scaled too.
    """

    layers: tuple[str, ...]
    pixels: str | None
    is_first: bool
    _step: Affine = field(repr=False)
    _calls: tuple[LayerCall, ...] = field(repr=False)
    _graph: LayerGraph = field(repr=False)

    @property
    def can_fold(self) -> bool:
        """Whether the host's scaling can stand for it, in one int8 scale."""
        factor = self._step.factor
        even = factor.max() <= _MOST_UNEVEN * factor.min()
        return bool(self.is_first and even and (factor > 0).all())

    def fold_into(self, manifest: Manifest) -> Manifest:
        """Return a manifest that does the scaling too, behind its own."""
        import numpy as np

        own = Affine(
            1 / np.asarray(manifest.std, np.float64),
            -np.asarray(manifest.mean, np.float64) / np.asarray(manifest.std),
        )
        whole = own.then(self._step)
        channels = manifest.channels
        if self._step.turned:
            channels = "rgb" if channels == "bgr" else "bgr"
        return dataclasses.replace(
            manifest,
            mean=_three(-whole.offset / whole.factor),
            std=_three(1 / whole.factor),
            channels=channels,
        )

    def stripped(self) -> KerasModel:
        """Return the network without it; layers are shared."""
        done = {id(call.output) for call in self._calls}

        def draw(call: LayerCall, *args: KerasTensor, **kwargs: object) -> KerasTensor:
            if id(call.output) in done:
                return need("keras").tree.flatten(args)[0]
            return call.layer(*args, **kwargs)

        return self._graph.redraw(draw)


def input_scaling(model: KerasModel) -> InputScaling | None:
    """Return the scaling with which a network begins, None where there is none.

    Parameters
    ----------
    model : keras.Model
        From `load_model`: flat, of fixed shape. Left as it is.
    """
    if _starts_with_convolution(model):
        return None  # as most do: not worth a copy of the graph
    try:
        graph = LayerGraph.of(model, share_layers=True)
    except ModelError:
        return None
    if len(graph.start.shape) != 4 or graph.start.shape[-1] != 3:
        return None
    trial, found = FirstOperations(graph), None
    for call in trial.calls:
        before = ancestors(graph, call)
        scaling = _scaling(trial, call, before) if before is not None else None
        found = scaling or found
    return found


def fed_with_unit_pixels(model: KerasModel) -> KerasModel:
    """Return a model that takes ``pixel / 127.5 - 1``, whatever it expected before.

    Parameters
    ----------
    model : keras.Model
        See `input_scaling`; layers are shared with the result, which is the model
        itself where nothing says that it takes other pixels.
    """
    scaling = input_scaling(model)
    if scaling is None or scaling.pixels not in _FROM_UNIT:
        return model
    by = _FROM_UNIT[scaling.pixels]
    back = need("keras").layers.Rescaling(by, by, name="pixels")
    return LayerGraph.of(model, share_layers=True).redraw(
        lambda call, *args, **kwargs: call.layer(*args, **kwargs), enter=back
    )


def _starts_with_convolution(model: KerasModel) -> bool:
    second = list(getattr(model, "operations", ()))[1:2]
    return [type(operation).__name__ for operation in second] == ["Conv2D"]


def _scaling(
    trial: FirstOperations, call: LayerCall, before: list[LayerCall]
) -> InputScaling | None:
    """Return what a call and those before it do, if that is a scaling."""
    made, without_learning = trial.made(call)
    step, seen = fitted(trial.probes, made), fitted(trial.probes, without_learning)
    if step is None or seen is None or hands_on(call) or step.does_nothing:
        return None
    return InputScaling(
        tuple(
            f"{type(one.layer).__name__} '{one.layer.name}'"
            for one in trial.graph.calls
            if one in before and not hands_on(one)
        ),
        _range(seen),
        not any(type(one.layer).__name__ == PADDING for one in before),
        step,
        tuple(before),
        trial.graph,
    )


def _range(step: Affine) -> str | None:
    """Return what a network expects, so that a step makes something usual of it."""
    import numpy as np

    found = []
    for name, (mean, deviation) in PIXEL_RANGES.items():
        photo_mean = (255 * _PHOTO[0] - mean) / deviation
        photo_deviation = 255 * _PHOTO[1] / deviation
        made_mean = float(np.mean(photo_mean * step.factor + step.offset))
        made = float(np.mean(np.abs(photo_deviation * step.factor)))
        distance = min(
            abs(np.log(made / wanted)) + abs(made_mean - wanted_mean) / wanted
            for wanted_mean, wanted in _WANTED
        )
        found.append((distance, name))
    (best, name), (second, _) = sorted(found)[:2]
    return name if best <= _FARTHEST and second - best >= _CLEARLY else None


def _three(numbers: Channels) -> tuple[float, float, float]:
    red, green, blue = map(_short, numbers)
    return red, green, blue


def _short(number: float) -> float:
    """Return a number as people write it where float32 would not tell the two apart."""
    import numpy as np

    short = float(f"{number:.6g}")
    return (
        short if abs(short - number) <= np.spacing(np.float32(abs(number))) else number
    )
