"""The calibration of a float model: ranges, and weights rounded for its inputs.

`measure` runs the float model over the calibration pictures once: ranges of all
activations (from a `Histogram` of each), and for each convolution scales, rounding and
bias correction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeseg.converter.quantization.moments import InputMoments, Observed
from edgeseg.converter.quantization.origin import Origin
from edgeseg.converter.quantization.refine import IntegerWeights, round_weights
from edgeseg.devices import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from edgeseg.converter.quantization.flatbuffer import FlatModel
    from edgeseg.devices.types import Array


# One value in ten thousand may be outside at each end: measured to keep more labels
# than the extremes, a moving average or 99.9 %
CENTRAL = 0.9999

Range = tuple[float, float]
_BINS = 4096  # half of them for each sign
_SAMPLE = 200_000  # values of one picture that are counted; extremes use all


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
    rounded : mapping of int to IntegerWeights
        By the operator's place.
    calibration : mapping of str to JSON value
        Manifest of the pictures.
    """

    origin: Origin
    extremes: Mapping[str, Range]
    central: Mapping[str, Range]
    rounded: Mapping[int, IntegerWeights]
    calibration: Mapping[str, object] = field(default_factory=dict)


def measure(
    content: bytes,
    tensors: Iterable[Array],
    *,
    origin: Origin | None = None,
    calibration: Mapping[str, object] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Ranges:
    """Run a float model over calibration tensors and measure what int8 needs.

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


def _check_finite(flat: FlatModel, index: int, values: Array) -> None:
    import numpy as np

    if not np.isfinite(values).all():
        raise ConversionError(
            f"the float model gives values that are not finite in {flat.name(index)} "
            "on a calibration picture: its weights or --normalize are wrong"
        )


class Histogram:
    """Counts over a symmetric interval that doubles when a value is outside.

    Examples
    --------
    >>> import numpy as np
    >>> histogram = Histogram()
    >>> histogram.add(np.linspace(-1, 3, 1001, dtype=np.float32))
    >>> histogram.low, histogram.high
    (-1.0, 3.0)
    >>> low, high = histogram.central(0.9)
    >>> round(low, 1), round(high, 1)
    (-0.6, 2.6)
    """

    def __init__(self) -> None:
        import numpy as np

        self.low, self.high = float("inf"), float("-inf")
        self._limit = 0.0
        self._counts: Array = np.zeros(_BINS, np.int64)

    def add(self, values: Array) -> None:
        """Count the values of a tensor; NaN and infinity are the caller's to refuse."""
        import numpy as np

        flat = values.ravel()
        self.low = min(self.low, float(flat.min()))
        self.high = max(self.high, float(flat.max()))
        self._widen(max(abs(self.low), abs(self.high)))
        sample = flat[:: -(-flat.size // _SAMPLE)]
        limits = (-self._limit, self._limit)
        self._counts += np.histogram(sample, bins=_BINS, range=limits)[0]

    def central(self, share: float) -> tuple[float, float]:
        """Return the range that leaves out ``1 - share`` of the values at each end.

        Parameters
        ----------
        share : float
            0..1; 1 gives the extremes.
        """
        import numpy as np

        if share >= 1:
            return self.low, self.high
        below = np.cumsum(self._counts) / self._counts.sum()
        width = 2 * self._limit / _BINS
        first = int(np.searchsorted(below, 1 - share))
        last = min(int(np.searchsorted(below, share)), _BINS - 1)
        low = -self._limit + width * first
        high = -self._limit + width * (last + 1)
        return max(self.low, low), min(self.high, high)

    def _widen(self, reach: float) -> None:
        """Make room: two neighbouring bins become one, until `reach` is inside."""
        import numpy as np

        if self._limit == 0:
            self._limit = float(2.0 ** np.ceil(np.log2(max(reach, 1e-6))))
        quarter = _BINS // 4
        while reach > self._limit:
            merged = self._counts.reshape(-1, 2).sum(axis=1)
            self._counts = np.zeros(_BINS, np.int64)
            self._counts[quarter : 3 * quarter] = merged
            self._limit *= 2
