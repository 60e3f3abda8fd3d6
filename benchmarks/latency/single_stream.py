"""One query at a time, as MLPerf's scenario SingleStream asks: rules and loop.

References
----------
MLPerf Inference rules, scenario SingleStream: the next query is issued when the last
one has been answered; at least 1,024 queries and 60 seconds; the 90th percentile is
the result.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.types import Json

Reply = TypeVar("Reply")
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Rules:
    """How long a measurement lasts.

    Parameters
    ----------
    queries : int
        At least so many.
    seconds : float
        At least so long.
    warm_up_queries, warm_up_seconds : int, float
        At least so many, and so long, before; not counted.
    name : str
        ``mlperf``, ``quick``, or ``own`` where a user chose other figures.

    Examples
    --------
    >>> Rules.full().queries, Rules.quick().seconds
    (1024, 10.0)
    >>> Rules.quick().changed(queries=5).name
    'own'
    """

    queries: int
    seconds: float
    warm_up_queries: int = 3
    warm_up_seconds: float = 2.0
    name: str = "own"

    @classmethod
    def full(cls) -> Rules:
        """Return MLPerf's: 1,024 queries and 60 seconds."""
        return cls(1024, 60.0, name="mlperf")

    @classmethod
    def quick(cls) -> Rules:
        """Return the short form: 128 queries and 10 seconds."""
        return cls(128, 10.0, name="quick")

    def changed(
        self, *, queries: int | None = None, seconds: float | None = None
    ) -> Rules:
        """Return rules with a user's figures; a warm-up never outlasts them."""
        if queries is None and seconds is None:
            return self
        queries = self.queries if queries is None else queries
        seconds = self.seconds if seconds is None else seconds
        return Rules(
            queries,
            seconds,
            warm_up_queries=min(self.warm_up_queries, queries),
            warm_up_seconds=min(self.warm_up_seconds, seconds),
        )

    @property
    def warm_up(self) -> Rules:
        """Return the rules of the warm-up."""
        return Rules(self.warm_up_queries, self.warm_up_seconds, 0, 0.0)

    def to_dict(self) -> Json:
        """Return JSON values, and whether these are MLPerf's figures."""
        return {**asdict(self), "mlperf": self.name == "mlperf"}


@dataclass(frozen=True)
class QueryTimes(Generic[Kept]):
    """What a loop over queries gave.

    Parameters
    ----------
    laps_ms : tuple of float
        Milliseconds of each query, in order.
    seconds : float
        Wall time from the first query to the last answer.
    first : tuple
        What was kept of the first answer to each picture.
    last : object
        What was kept of the last answer.
    last_picture : int
        The picture that the last answer is about.
    """

    laps_ms: tuple[float, ...]
    seconds: float
    first: tuple[Kept, ...]
    last: Kept
    last_picture: int


def run_stream(
    query: Callable[[int], Reply],
    pictures: int,
    rules: Rules,
    *,
    keep: Callable[[Reply], Kept],
    progress: Callable[[int, float], None] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> QueryTimes[Kept]:
    """Ask about pictures in turn until the rules are met.

    Parameters
    ----------
    query : callable
        Takes the index of a picture, returns the answer.
    pictures : int
        How many there are.
    rules : Rules
        When to stop.
    keep : callable
        Takes an answer, returns what to remember of it; runs between two queries.
    progress : callable or None
        Called with queries and seconds between two queries, about twice a second.
    clock : callable
        Gives seconds.
    """
    laps: list[float] = []
    first: list[Kept] = []
    begun = shown = end = clock()
    while len(laps) < max(1, rules.queries) or end - begun < rules.seconds:
        picture = len(laps) % pictures
        start = clock()
        answer = query(picture)
        end = clock()
        laps.append(1000 * (end - start))
        if len(first) == len(laps) - 1 < pictures:
            first.append(keep(answer))
        if progress is not None and end - shown > 0.5:
            progress(len(laps), end - begun)
            shown = end
    return QueryTimes(tuple(laps), end - begun, tuple(first), keep(answer), picture)
