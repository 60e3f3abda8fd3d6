"""The figures of a run: rates, latencies and ages now, and the totals at its end.

The memory that they take does not grow with the run.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from edgeseg.devices.types import Json
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.pipeline.stopping import RunControls
    from edgeseg.runtime.segmentation.segmenter import Segmentation

_FRAMES = 300  # frames that percentiles are taken of
_WINDOW_S = 2.0  # seconds that the frame rate is taken of
_UNSHOWN = ("latency_sum_s", "age_sum_s", "tries")
_KEPT = 4096  # values of a stage that a median is taken of


@dataclass(frozen=True)
class Spread:
    """Median and ninetieth percentile of the last frames.

    Parameters
    ----------
    p50, p90 : float
        In the unit of the values.
    """

    p50: float
    p90: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """Return the spread of values, None where there are none.

        Examples
        --------
        >>> Spread.of(range(1, 11))
        Spread(p50=5, p90=9)
        """
        ordered = sorted(values)
        if not ordered:
            return None
        last = len(ordered) - 1
        return cls(ordered[last // 2], ordered[last * 9 // 10])


@dataclass(frozen=True)
class Readings:
    """What a meter shows at one moment.

    Parameters
    ----------
    frames : int
        Frames that all sinks have taken.
    dropped : int
        Frames of a live source that a newer one replaced.
    fps : float or None
        Frames a second over the last two seconds; None before there is a rate.
    latency_ms : Spread or None
        Milliseconds of preprocessing, inference and postprocessing.
    age_ms : Spread or None
        Milliseconds from a frame's capture until all sinks had it.
    latency_sum_s, age_sum_s : float
        Seconds of all frames together, for rates over any time; not in `to_dict`.
    shares : dict of int to float
        Share of pixels of each class id in the last frame.
    uptime_s : float
        Seconds since the meter was made.
    last_frame_s : float or None
        Seconds since the last frame; None before the first.
    connected : bool
        Whether the source gives frames, as far as it knows.
    reconnects : int
        How often the source connected again.
    error : str or None
        Why the source is not connected, as far as it knows.
    tries : int or None
        Tries to connect of a source that is away; None: it is not. Not in `to_dict`.
    outputs : dict of str to dict
        State of each sink that connects, by what the user calls it; see `Sink.state`.
    paused : bool
        Whether frames are let go unused; see `RunControls`.
    """

    frames: int = 0
    dropped: int = 0
    fps: float | None = None
    latency_ms: Spread | None = None
    age_ms: Spread | None = None
    latency_sum_s: float = 0.0
    age_sum_s: float = 0.0
    shares: dict[int, float] = field(default_factory=dict)
    uptime_s: float = 0.0
    last_frame_s: float | None = None
    connected: bool = True
    reconnects: int = 0
    error: str | None = None
    tries: int | None = None
    outputs: dict[str, Json] = field(default_factory=dict)
    paused: bool = False

    def to_dict(self) -> Json:
        """Return JSON values; class ids are text, as JSON wants keys to be."""
        shares = {str(class_id): share for class_id, share in self.shares.items()}
        values = {**asdict(self), "shares": shares}
        return {key: values[key] for key in values if key not in _UNSHOWN}


class Stateful(Protocol):
    """A source or sink, as far as a meter is concerned."""

    @property
    def state(self) -> Json:
        """See `Source.state` and `Sink.state`."""


class Meter:
    """Counts and times the frames of a run; used by any number of threads.

    Parameters
    ----------
    clock : callable
        Seconds on the clock of `Capture.captured_s`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._started = clock, clock()
        self._lock = threading.Lock()
        self._frames = self._dropped = 0
        self._latency_sum_s = self._age_sum_s = 0.0
        self._done: deque[float] = deque(maxlen=_FRAMES)
        self._latencies: deque[float] = deque(maxlen=_FRAMES)
        self._ages: deque[float] = deque(maxlen=_FRAMES)
        self._last: Segmentation | None = None
        self._source: Stateful | None = None
        self._controls: RunControls | None = None
        self._outputs: dict[str, Stateful] = {}

    def add(self, capture: Capture, segmentation: Segmentation) -> None:
        """Count a frame that is finished: segmented, and taken by all sinks."""
        now = self._clock()
        with self._lock:
            self._frames += 1
            self._done.append(now)
            latency_ms = sum(segmentation.timings_ms.values())
            self._latencies.append(latency_ms)
            self._ages.append(1000 * (now - capture.captured_s))
            self._latency_sum_s += latency_ms / 1000
            self._age_sum_s += now - capture.captured_s
            self._last = segmentation

    def drop(self, count: int = 1) -> None:
        """Count live frames that newer ones replaced."""
        with self._lock:
            self._dropped += count

    def watch(self, source: Stateful, controls: RunControls | None = None) -> None:
        """Include the state of this source in `read` from now on, and the pause."""
        self._source, self._controls = source, controls

    def watch_outputs(self, sinks: Mapping[str, Stateful]) -> None:
        """Include the states of sinks that connect in `read` from now on.

        Parameters
        ----------
        sinks : mapping of str to Sink
            By names without secrets.
        """
        self._outputs = dict(sinks)

    def read(self) -> Readings:
        """Return the figures of this moment."""
        with self._lock:
            now = self._clock()
            done, last = tuple(self._done), self._last
            latencies, ages = tuple(self._latencies), tuple(self._ages)
            frames, dropped = self._frames, self._dropped
            sums = {"latency_sum_s": self._latency_sum_s, "age_sum_s": self._age_sum_s}
        state = self._source.state if self._source is not None else {}
        connected, error = bool(state.get("connected", True)), state.get("error")
        tries = None if connected or error is None else int(state.get("tries", 0))
        # areas are counted here and not in `add`: a reader's time is cheaper
        areas = last.areas if last is not None else {}
        pixels = sum(areas.values())
        return Readings(
            frames=frames,
            dropped=dropped,
            fps=_rate(done, now),
            latency_ms=Spread.of(latencies),
            age_ms=Spread.of(ages),
            shares={class_id: area / pixels for class_id, area in areas.items()},
            **sums,
            uptime_s=now - self._started,
            last_frame_s=now - done[-1] if done else None,
            connected=connected,
            reconnects=int(state.get("reconnects", 0)),
            error=error,
            tries=tries,
            outputs={
                name: s for name, sink in self._outputs.items() if (s := sink.state)
            },
            paused=self._controls is not None and self._controls.paused,
        )


def _rate(done: tuple[float, ...], now: float) -> float | None:
    """Return frames a second: of the last two seconds, else between the last two."""
    if len(done) < 2:
        return None
    recent = [moment for moment in done if moment >= now - _WINDOW_S]
    moments = recent if len(recent) > 1 else done[-2:]
    # a source that has stopped is seen by the time that passes without a frame
    interval = (moments[-1] - moments[0]) / (len(moments) - 1)
    since = now - moments[-1]
    if since > max(_WINDOW_S, 2 * interval):
        return 0.0
    return 1 / interval if interval > 0 else None


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
