"""Many latencies as a few figures: percentiles, spread, drift, a compact histogram."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.devices.types import Json

PERCENTILES = (50.0, 90.0, 95.0, 97.0, 99.0, 99.9)
# 100 bins a decade: a bin is 2.3 % wide, finer than a scheduler's noise
BINS_PER_DECADE = 100


def summary(laps_ms: Sequence[float]) -> dict[str, float]:
    """Return percentiles, mean, extremes and interquartile range.

    A percentile is a latency that was measured: the smallest that at least that share
    of the queries did not exceed, as MLPerf's load generator counts.

    Parameters
    ----------
    laps_ms : sequence of float
        Milliseconds, at least one.

    Examples
    --------
    >>> figures = summary([4.0, 1.0, 2.0, 3.0])
    >>> figures["p50"], figures["p90"], figures["mean"], figures["iqr"]
    (2.0, 4.0, 2.5, 2.0)
    """
    ordered = sorted(laps_ms)
    figures = {f"p{share:g}": _nearest(ordered, share) for share in PERCENTILES}
    figures["mean"] = sum(ordered) / len(ordered)
    figures["min"], figures["max"] = ordered[0], ordered[-1]
    figures["iqr"] = _nearest(ordered, 75) - _nearest(ordered, 25)
    return {key: round(value, 4) for key, value in figures.items()}


def median(laps_ms: Sequence[float]) -> float:
    """Return the 50th percentile as `summary` counts it."""
    return _nearest(sorted(laps_ms), 50)


def drift(laps_ms: Sequence[float]) -> float | None:
    """Return how the last quarter's median differs from the first's, as a share.

    None for fewer than eight queries.

    Examples
    --------
    >>> drift([10.0] * 8 + [11.0] * 8)
    0.1
    """
    quarter = len(laps_ms) // 4
    if quarter < 2:
        return None
    first = median(laps_ms[:quarter])
    return round(median(laps_ms[-quarter:]) / first - 1, 4) if first else None


def histogram(laps_ms: Sequence[float]) -> Json:
    """Return counts over bins of equal width in the logarithm.

    Bin ``first + i`` counts latencies from ``10 ** ((first + i) / bins_per_decade)``
    milliseconds up to the next bin.

    Examples
    --------
    >>> histogram([1.0, 1.0, 1.03])
    {'bins_per_decade': 100, 'first': 0, 'counts': [2, 1]}
    """
    import math

    places = [
        math.floor(BINS_PER_DECADE * math.log10(max(lap, 1e-6))) for lap in laps_ms
    ]
    first = min(places)
    counts = [0] * (max(places) - first + 1)
    for place in places:
        counts[place - first] += 1
    return {"bins_per_decade": BINS_PER_DECADE, "first": first, "counts": counts}


def _nearest(ordered: Sequence[float], share: float) -> float:
    # nearest rank: ceil(share * n), in whole thousandths so that 99.9 stays exact
    rank = -(-round(share * 10) * len(ordered) // 1000)
    return ordered[max(rank, 1) - 1]
