"""The totals of a run, for its end.

The memory that they take does not grow with the run.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.runtime.segmentation.segmenter import Segmentation

_KEPT = 4096  # values of a stage that a median is taken of


class Reservoir:
    """A fair sample of any number of values: all of them up to 4096.

    References
    ----------
    Vitter, "Random sampling with a reservoir", algorithm R, ACM TOMS 11(1), 1985.

    Examples
    --------
    >>> sample = Reservoir()
    >>> for value in (3.0, 1.0, 2.0):
    ...     sample.add(value)
    >>> sample.median()
    2.0
    """

    def __init__(self) -> None:
        self._values: list[float] = []
        self._seen = 0
        self._random = random.Random(0)

    def __len__(self) -> int:
        return len(self._values)

    def add(self, value: float) -> None:
        """Take a value; each one so far is kept with the same probability."""
        self._seen += 1
        if len(self._values) < _KEPT:
            self._values.append(value)
            return
        place = self._random.randrange(self._seen)
        if place < _KEPT:
            self._values[place] = value

    def median(self) -> float:
        """Return the sample's median."""
        import statistics  # and decimal and fractions: not before a run's peak

        return statistics.median(self._values)


@dataclass
class Tally:
    """What a run has done so far.

    Parameters
    ----------
    done, skipped, dropped : int
        Pictures segmented; left out because their results were there; frames of a
        live source that a newer one replaced.
    pixels : Counter of int
        Pixels of each class id, all pictures together.
    timings_ms : dict of str to Reservoir
        Milliseconds of each stage.
    signal : int or None
        The signal that ended the run.
    """

    done: int = 0
    skipped: int = 0
    dropped: int = 0
    pixels: Counter[int] = field(default_factory=Counter)
    timings_ms: dict[str, Reservoir] = field(default_factory=dict)
    signal: int | None = None

    def add(self, segmentation: Segmentation) -> None:
        """Count one picture."""
        self.done += 1
        self.pixels.update(segmentation.areas)
        for stage, spent in segmentation.timings_ms.items():
            self.timings_ms.setdefault(stage, Reservoir()).add(spent)

    @property
    def median_ms(self) -> dict[str, float]:
        """Median milliseconds of each stage."""
        return {stage: spent.median() for stage, spent in self.timings_ms.items()}
