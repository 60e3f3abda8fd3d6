"""What calibration measures of a float model.

`measure` runs the float model over the calibration pictures once: ranges of all
activations, and for each convolution scales, rounding and bias correction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edgeseg.converter.quantization.histogram import Histogram
from edgeseg.converter.quantization.moments import InputMoments
from edgeseg.converter.quantization.observe import Observed
from edgeseg.converter.quantization.origin import Origin
from edgeseg.converter.quantization.refine import RoundedWeights, round_weights
from edgeseg.devices import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from edgeseg.converter.quantization.flatbuffer import FlatModel

# One value in ten thousand may lie outside at each end: measured to keep more labels
# than the extremes, a moving average or 99.9 %
CENTRAL = 0.9999

Range = tuple[float, float]


@dataclass(frozen=True)
class Ranges:
    """The result of a calibration.

    Parameters
    ----------
    origin : Origin
        The model that it belongs to.
    extremes, central : mapping of str to (float, float)
        By tensor name: smallest and largest value; the same without the outermost
        ten-thousandth at each end.
    rounded : mapping of int to RoundedWeights
        By the operator's place.
    calibration : mapping of str to JSON value
        Manifest of the pictures.
    """

    origin: Origin
    extremes: Mapping[str, Range]
    central: Mapping[str, Range]
    rounded: Mapping[int, RoundedWeights]
    calibration: Mapping[str, Any] = field(default_factory=dict)


def measure(
    content: bytes,
    tensors: Iterable[NDArray[Any]],
    *,
    origin: Origin | None = None,
    calibration: Mapping[str, Any] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Ranges:
    """Run a float model over calibration tensors and learn what int8 needs to know.

    Parameters
    ----------
    content : bytes
        Float TFLite model.
    tensors : iterable of ndarray
        Input tensors, each used once.
    origin : Origin or None
        Of the model, kept with the result.
    calibration : mapping or None
        Manifest of the pictures, kept with the result.
    progress : callable or None
        Called with the number of tensors done.

    Raises
    ------
    ConversionError
        An activation is not finite.
    """
    observed = Observed(content)
    flat = observed.flat
    histograms = {
        index: Histogram()
        for index in observed.activations
        if flat.dtype(index) == "float32"
    }
    moments = InputMoments(flat)
    for done, tensor in enumerate(tensors, 1):
        observed.run(tensor)
        for index, histogram in histograms.items():
            values = observed.read(index)
            _check_finite(flat, index, values)
            histogram.add(values)
        moments.add(observed)
        if progress is not None:
            progress(done)
    rounded = {}
    for place in list(moments.moments):
        seen = moments.moments.pop(place)  # the largest need hundreds of megabytes
        rounded[place] = round_weights(flat, flat.graph.operators[place], seen)
    return Ranges(
        origin=origin or Origin(),
        extremes={flat.name(i): (h.low, h.high) for i, h in histograms.items()},
        central={flat.name(i): h.central(CENTRAL) for i, h in histograms.items()},
        rounded=rounded,
        calibration=dict(calibration or {}),
    )


def _check_finite(flat: FlatModel, index: int, values: NDArray[Any]) -> None:
    import numpy as np

    if not np.isfinite(values).all():
        raise ConversionError(
            f"the float model gives values that are not finite in {flat.name(index)} "
            "on a calibration picture: its weights or --normalize are wrong"
        )
