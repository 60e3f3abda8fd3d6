"""One run of a latency measurement: a device string and a number of threads."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from edgeseg.benchmarks.latency.distribution import drift, histogram, summary
from edgeseg.benchmarks.latency.machine import (
    emulation,
    memory,
    processor_seconds,
    processors,
    read_conditions,
    reset_peak,
)
from edgeseg.benchmarks.latency.single_stream import QueryTimes, run_stream
from edgeseg.benchmarks.latency.trip import time_trip
from edgeseg.benchmarks.latency.validity import is_valid, validity_flags
from edgeseg.devices import ModelError
from edgeseg.runtime import Segmenter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.benchmarks.latency.setup import Setup
    from edgeseg.benchmarks.latency.single_stream import Rules
    from edgeseg.devices.types import Json
    from edgeseg.runtime.segmentation.segmenter import Segmentation

T = TypeVar("T")
_CORE = ("preprocess", "invoke", "postprocess")


@dataclass(frozen=True)
class BenchRun:
    """One device string with one number of threads."""

    setup: Setup
    device: str
    threads: int | None
    frames: Sequence[NDArray[np.uint8]]
    load_before: float | None

    def measure(self, progress: Callable[[str], None]) -> Json:
        """Return the figures as JSON values; see `bench`."""
        before, held, reset = read_conditions(), memory(), reset_peak()
        load_ms, segmenter = timed(self._open)
        with segmenter:
            first_ms, found = timed(lambda: segmenter.segment(self.frames[0]))
            figures = self._stream(segmenter, before, progress)
            trip = time_trip(
                segmenter,
                self.setup.source,
                self.frames,
                most=self.setup.rules.queries,
            )
            device = segmenter.device.describe()
        return {
            "device": device,
            "device_text": self.device,
            "load_ms": round(load_ms, 3),
            "first_run_ms": round(first_ms, 3),
            "first_run_stages_ms": {
                k: round(v, 3) for k, v in found.timings_ms.items()
            },
            **figures,
            "trip": trip,
            "memory": _memory(held, reset),
        }

    def _open(self) -> Segmenter:
        return Segmenter.open(
            self.setup.model,
            device=self.device,
            threads=self.threads,
            overrides=self.setup.overrides,
        )

    def _stream(
        self,
        segmenter: Segmenter,
        before: Json,
        progress: Callable[[str], None],
    ) -> Json:
        """Warm up, run the queries, check the answers, judge the conditions."""
        rules = self.setup.rules
        warm, _ = self._ask(segmenter, rules.warm_up, "warm-up", progress)
        ticks = processor_seconds()
        stream, spent = self._ask(segmenter, rules, "queries", progress)
        others = _others(ticks, processor_seconds(), stream.seconds)
        after = read_conditions()
        _check_answers(stream, segmenter, self.frames, self.setup.model)
        facts = {
            "queries": len(stream.laps_ms),
            "seconds": round(stream.seconds, 3),
            "drift": drift(stream.laps_ms),
            "others": others,
            "emulated": emulation(),
            "before": before,
            "after": after,
        }
        around = {"load_before": self.load_before, "processors": processors()}
        flags = validity_flags({**facts, **around}, rules)
        return {
            **facts,
            "warm_up": {
                "queries": len(warm.laps_ms),
                "seconds": round(warm.seconds, 3),
            },
            **_figures(stream, spent),
            "validity": [flag.to_dict() for flag in flags],
            "valid": is_valid(flags),
        }

    def _ask(
        self,
        segmenter: Segmenter,
        rules: Rules,
        name: str,
        progress: Callable[[str], None],
    ) -> tuple[QueryTimes[str], list[dict[str, float]]]:
        """Return the stream, and the stages' milliseconds of every query."""
        spent: list[dict[str, float]] = []
        threads = f", threads {self.threads}" if self.threads else ""

        def query(picture: int) -> Segmentation:
            found = segmenter.segment(self.frames[picture])
            spent.append(found.timings_ms)
            return found

        def show(done: int, seconds: float) -> None:
            progress(f"{self.device}{threads}: {name} {done} in {seconds:.0f} s")

        count = len(self.frames)
        return run_stream(query, count, rules, keep=_digest, progress=show), spent


def _figures(stream: QueryTimes[str], spent: list[dict[str, float]]) -> Json:
    share = sum(sum(stages.values()) for stages in spent) / sum(stream.laps_ms)
    return {
        "latency_ms": summary(stream.laps_ms),
        "histogram": histogram(stream.laps_ms),
        "stages_ms": {
            stage: summary([stages[stage] for stages in spent]) for stage in _CORE
        },
        "stages_share": round(share, 4),
    }


def _check_answers(
    stream: QueryTimes[str],
    segmenter: Segmenter,
    frames: Sequence[NDArray[np.uint8]],
    model: Path,
) -> None:
    last, picture = stream.last, stream.last_picture
    if len(stream.laps_ms) <= len(frames):  # asked once only: ask again
        last = _digest(segmenter.segment(frames[picture]))
    if last != stream.first[picture]:
        raise ModelError(
            f"{model}: the last answer about a picture is not the first one: figures "
            "of a device that answers differently each time are not kept"
        )


def _digest(found: Segmentation) -> str:
    return hashlib.sha256(found.ids.tobytes()).hexdigest()


def _others(
    first: tuple[float, float] | None,
    last: tuple[float, float] | None,
    seconds: float,
) -> float | None:
    if first is None or last is None or seconds <= 0:
        return None
    own, busy = last[0] - first[0], last[1] - first[1]
    return round(max(0.0, busy - own) / (seconds * processors()), 4)


def _memory(before: dict[str, int | None], reset: bool) -> Json:
    """Return a run's memory; `reset_peak` takes getrusage's peak back as well."""
    now = memory()
    peaks = (before["process_peak_bytes"], now["process_peak_bytes"])
    return {
        **now,
        "process_peak_bytes": max(peak or 0 for peak in peaks),
        "before_load_bytes": before["resident_bytes"],
        "peak_counts_from": "this run" if reset else "the process's start",
    }


def timed(function: Callable[[], T]) -> tuple[float, T]:
    """Return milliseconds and result of a call."""
    start = time.perf_counter()
    result = function()
    return 1000 * (time.perf_counter() - start), result
