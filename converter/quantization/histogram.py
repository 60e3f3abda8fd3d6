"""How the values of one tensor are spread, gathered picture by picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BINS = 4096  # half of them for each sign
_SAMPLE = 200_000  # values of one picture that are counted; extremes use all


class Histogram:
    """Counts over a symmetric interval that doubles when a value lies outside.

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
        self._counts: NDArray[Any] = np.zeros(_BINS, np.int64)

    def add(self, values: NDArray[Any]) -> None:
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
