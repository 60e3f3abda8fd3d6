"""The rate of a whole run against that of the network alone, and frames' age."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices.cores import usable_processors
from edgeseg.runtime import (
    Meter,
    PipelineOptions,
    Segmenter,
    Style,
    open_sink,
    open_source,
    run_pipeline,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json

WARM_UP = 5  # invocations before any is timed
LIVE_FPS = 30
# Threads of an inference look for more work for a while before they sleep
_SPINNING_S = 0.01


@dataclass(frozen=True)
class LiveProtocol:
    """How long is measured.

    Parameters
    ----------
    rounds : int
        Times that network and run are measured, one after the other.
    invocations : int
        Inferences of the network alone in each round.
    live_seconds : float
        Length of the run on a live source.
    threads : int
        Threads of an inference.
    """

    rounds: int = 5
    invocations: int = 100
    live_seconds: float = 20.0
    threads: int = 2


def measure(model: Path, clip: Path, protocol: LiveProtocol) -> Json:
    """Measure one model.

    Parameters
    ----------
    model : Path
        A ``.tflite`` file.
    clip : Path
        A video file.
    protocol : LiveProtocol
        How long.

    Returns
    -------
    dict
        ``rounds`` with the milliseconds of an invocation alone and of a frame of the
        run, and ``ratio``, the one over the other; ``bound_ms``, the least that a frame
        can take (see `least_ms`), and ``of_bound``, it over the frame; the rounds'
        medians and ranges of both; ``live`` with frame ages against the bar. JSON
        values.
    """
    rounds = []
    for _ in range(protocol.rounds):
        alone = _alone_ms(model, clip, protocol)
        beside = _beside_ms(model, clip, protocol)
        rounds.append({**alone, **beside, **_run_ms(model, clip, protocol)})
    for one in rounds:
        one["ratio"] = one["invoke_alone_ms"] / one["frame_ms"]
        one["bound_ms"] = least_ms(
            one["invoke_alone_ms"],
            [one["decode_cpu_ms"], one["own_cpu_ms"]],
            threads=protocol.threads,
            cores=len(usable_processors()),
        )
        one["of_bound"] = one["bound_ms"] / one["frame_ms"]
    return {
        "rounds": rounds,
        **_spread(rounds, "ratio"),
        **_spread(rounds, "of_bound"),
        "live": _live(model, protocol),
    }


def least_ms(
    invoke_ms: float, beside_ms: Sequence[float], *, threads: int, cores: int
) -> float:
    """Return the least time between two frames of a run that wastes no processor.

    Work is conserved: stages may overlap, and all that a frame costs is done by the
    cores that there are. An inference keeps its threads' cores to itself, as the
    network alone does.

    Parameters
    ----------
    invoke_ms : float
        An inference of the network alone, by the wall clock.
    beside_ms : sequence of float
        Processor time of each other stage for a frame.
    threads : int
        Of an inference.
    cores : int
        That there are.

    Examples
    --------
    >>> least_ms(16.0, [1.0, 3.0], threads=2, cores=2)  # no core is left beside
    18.0
    >>> least_ms(16.0, [1.0, 3.0], threads=2, cores=4)  # two do all the rest
    16.0
    """
    busy = min(threads, cores) * invoke_ms + sum(beside_ms)
    return max(busy / cores, invoke_ms, *beside_ms)


def _spread(rounds: Sequence[dict[str, float]], key: str) -> Json:
    found = [one[key] for one in rounds]
    return {key: statistics.median(found), f"{key}_range": [min(found), max(found)]}


def _open(model: Path, protocol: LiveProtocol) -> Segmenter:
    return Segmenter.open(model, threads=protocol.threads)


def _alone_ms(model: Path, clip: Path, protocol: LiveProtocol) -> dict[str, float]:
    """Time the network alone on the clip's first frame, nothing else running."""
    with open_source(str(clip)) as source, _open(model, protocol) as segmenter:
        tensor = segmenter.tensor(next(iter(source.captures())).frame)
        for _ in range(WARM_UP):
            segmenter.device.infer(tensor)
        spent = _times_ms(segmenter, tensor, protocol.invocations)
    return {"invoke_alone_ms": statistics.fmean(spent)}


def _times_ms(
    segmenter: Segmenter, tensor: NDArray[np.generic], count: int
) -> list[float]:
    spent = []
    for _ in range(count):
        start = time.perf_counter()
        segmenter.device.infer(tensor)
        spent.append(1000 * (time.perf_counter() - start))
    return spent


def _beside_ms(model: Path, clip: Path, protocol: LiveProtocol) -> dict[str, float]:
    """Return the processor time of a frame's stages beside the network, each alone."""
    with open_source(str(clip)) as source:
        captures = source.captures()
        frames = [next(captures) for _ in range(WARM_UP)]
        decoded = time.process_time()
        rest = sum(1 for _ in captures)
        decode_ms = 1000 * (time.process_time() - decoded) / max(rest, 1)
    own: list[float] = []
    with _open(model, protocol) as segmenter:
        style = Style(segmenter.manifest, fps=source.fps)
        for capture in frames * -(-protocol.invocations // len(frames)):
            segmentation = segmenter.segment(capture.frame)
            output = segmenter.infer(segmenter.tensor(capture.frame))
            time.sleep(_SPINNING_S)
            start = time.process_time()
            segmenter.tensor(capture.frame)
            segmenter.ids_from(output, segmentation.ids.shape[:2])
            style.draw(capture, segmentation)
            own.append(1000 * (time.process_time() - start))
    return {"decode_cpu_ms": decode_ms, "own_cpu_ms": statistics.fmean(own[WARM_UP:])}


def _run_ms(model: Path, clip: Path, protocol: LiveProtocol) -> dict[str, float]:
    """Time the frames of a whole run: file in, overlay drawn, nothing kept."""
    segmenter = _open(model, protocol)
    source = open_source(str(clip))
    sink = open_sink("null:overlay", Style(segmenter.manifest, fps=source.fps))
    ends: list[float] = []
    tally = run_pipeline(
        source,
        segmenter,
        [sink],
        progress=lambda tally, capture: ends.append(time.perf_counter()),
    )
    # from the end of the warm-up to the last frame: opening and first runs are apart
    frame_ms = 1000 * (ends[-1] - ends[WARM_UP]) / (len(ends) - 1 - WARM_UP)
    stages = {f"{stage}_ms": value for stage, value in tally.median_ms.items()}
    return {"frame_ms": frame_ms, "frames": tally.done, **stages}


def _live(model: Path, protocol: LiveProtocol) -> Json:
    """Measure the age of frames of a source that gives 30 a second."""
    segmenter = _open(model, protocol)
    source = open_source(f"synthetic:640x480,live,fps={LIVE_FPS}")
    meter = Meter()
    sink = open_sink("null:overlay", Style(segmenter.manifest, meter=meter))
    tally = run_pipeline(
        source,
        segmenter,
        [sink],
        options=PipelineOptions(seconds=protocol.live_seconds),
        meter=meter,
    )
    readings = meter.read()
    invoke_ms = tally.median_ms["invoke"]
    limit_ms = 2 * invoke_ms + 1000 / LIVE_FPS
    age = readings.age_ms
    if age is None:
        return {"frames": 0}
    return {
        "source_fps": LIVE_FPS,
        "frames": readings.frames,
        "dropped": readings.dropped,
        "invoke_ms": invoke_ms,
        "age_p50_ms": age.p50,
        "age_p90_ms": age.p90,
        "limit_ms": limit_ms,
        "within_limit": age.p90 < limit_ms,
    }
