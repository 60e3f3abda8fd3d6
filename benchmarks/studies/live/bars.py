"""What a soak must show, as figures with their bars."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeseg.benchmarks.studies.live.children import Sample
    from edgeseg.devices.types import Json

MEMORY_GROWTH = 0.05  # of the memory at the start
RATE_KEPT = 0.9  # of the rate with the one browser
RECOVERY_S = 30.0  # a source that is back is used within


@dataclass(frozen=True)
class Bar:
    """One figure, what it must be, and whether it is.

    Parameters
    ----------
    name : str
        What is measured.
    value : float or None
        The figure; None if it did not come about.
    limit : str
        What it must be.
    passed : bool
        Whether it is.
    """

    name: str
    value: float | None
    limit: str
    passed: bool

    def to_dict(self) -> Json:
        """Return the bar as JSON values."""
        return asdict(self)


def at_most(name: str, value: float | None, limit: float) -> Bar:
    """Return a bar for a figure that must not be above a limit."""
    passed = value is not None and value <= limit
    return Bar(name, _rounded(value), f"at most {limit:g}", passed)


def at_least(name: str, value: float | None, limit: float) -> Bar:
    """Return a bar for a figure that must not be under a limit."""
    passed = value is not None and value >= limit
    return Bar(name, _rounded(value), f"at least {limit:g}", passed)


def steady_bars(samples: Sequence[Sample]) -> list[Bar]:
    """Return the bars of a phase in which nothing is done to the run.

    Medians of the last fifth are held against those of the first: a single sample
    catches a passing connection or allocation.

    Parameters
    ----------
    samples : sequence of Sample
        In order of time, taken after the warm-up.
    """

    def growth(figure: Callable[[Sample], int]) -> tuple[float, float]:
        fifth = max(1, len(samples) // 5)
        first = statistics.median(map(figure, samples[:fifth]))
        return first, statistics.median(map(figure, samples[-fifth:])) - first

    memory, grown = growth(lambda one: one.resident_bytes)
    return [
        at_most("growth of resident memory", grown / memory, MEMORY_GROWTH),
        at_most("growth of threads", growth(lambda one: one.threads)[1], 0),
        at_most("growth of descriptors", growth(lambda one: one.descriptors)[1], 0),
    ]


def rate(samples: Sequence[Sample]) -> float:
    """Return frames a second over a phase.

    Examples
    --------
    >>> from edgeseg.benchmarks.studies.live.children import Sample
    >>> rate([Sample(0.0, 1, 1, 1, 10), Sample(2.0, 1, 1, 1, 70)])
    30.0
    """
    first, last = samples[0], samples[-1]
    return (last.frames - first.frames) / (last.at_s - first.at_s)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
