"""A live run watched for long and then mistreated.

::

    python -m edgeseg.benchmarks.studies.live.soak MODEL --minutes 30 --json soak.json

A stand-in for a camera (`edgeseg.benchmarks.studies.live.camera`), ``edgeseg run`` on
its stream with the page open in headless Chromium. First the run is left alone and its
memory, threads, descriptors and rate are watched; then the camera is killed and started
again three times, a client connects that never reads, and fifty more than may watch.
With ``--outputs`` it also writes JSON lines, a video and to an MQTT broker all the
time, and a client of the page comes and goes. The record says of each bar whether it
held; the exit status is 1 if one did not.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.latency.machine import describe_board, read_conditions
from edgeseg.benchmarks.record import conditions, write_record
from edgeseg.benchmarks.studies.live import children
from edgeseg.benchmarks.studies.live.bars import (
    RATE_KEPT,
    RECOVERY_S,
    Bar,
    at_least,
    at_most,
    rate,
    steady_bars,
)
from edgeseg.benchmarks.studies.live.children import Child, Sample, wait_until
from edgeseg.benchmarks.studies.live.clients import Crowd, connect, frames_of, state_of
from edgeseg.benchmarks.studies.live.outputs import Outputs, Visitor
from edgeseg.devices import EdgesegError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.types import Json


_START_S = 60.0
_KILLS = 3
_AWAY_S = 5.0  # how long the camera stays away
_CROWD = 50
_STREAMS = 8  # clients that may watch at once: the page's own default


@dataclass
class Soak:
    """What runs and what was seen of it."""

    folder: Path
    run_port: int
    run: Child
    say: Callable[[str], None]
    interval_s: float = 2.0
    bars: list[Bar] = field(default_factory=list)
    phases: dict[str, Json] = field(default_factory=dict)

    def watch(self, name: str, seconds: float) -> list[Sample]:
        """Sample the run for some time."""
        samples: list[Sample] = []
        end, said = time.monotonic() + seconds, 0.0
        while len(samples) < 2 or time.monotonic() < end:
            self.run.check()
            frames = frames_of(self.run_port)
            if frames is not None:
                samples.append(children.sample(self.run.pid, frames))
            if samples and time.monotonic() - said > 15:
                said = time.monotonic()
                self.say(f"{name}: {_line(samples[-1])}, {end - said:.0f} s to go")
            time.sleep(self.interval_s)
        step = max(1, len(samples) // 60)  # a record is read by people
        self.phases[name] = {
            "fps": round(rate(samples), 3),
            **_start_middle_end(samples),
            "samples": [one.to_dict() for one in samples[::step]],
        }
        return samples

    def keeps_rate(self, name: str, seconds: float, base: float) -> None:
        """Watch the run and hold its rate against the one with the browser alone."""
        kept = rate(self.watch(name, seconds)) / base
        self.bar(at_least(f"rate kept: {name}", kept, RATE_KEPT))

    def bar(self, bar: Bar) -> None:
        """Note a bar and say it."""
        self.bars.append(bar)
        state = "pass" if bar.passed else "FAIL"
        self.say(f"{state}  {bar.name}: {bar.value} ({bar.limit})")


@click.command()
@click.argument("model", type=click.Path(path_type=Path, exists=True))
@click.option("--minutes", type=click.FloatRange(0.2), default=30, show_default=True)
@click.option("--json", "record_path", type=click.Path(path_type=Path))
@click.option("--threads", type=click.IntRange(1), help="Threads of an inference.")
@click.option(
    "--fps",
    type=click.FloatRange(0.5),
    default=30,
    show_default=True,
    help="Of the camera.",
)
@click.option(
    "--outputs",
    is_flag=True,
    help="Write JSON lines, a video and to mosquitto too; a client comes and goes.",
)
def main(
    model: Path,
    minutes: float,
    record_path: Path | None,
    threads: int | None,
    fps: float,
    outputs: bool,
) -> None:
    """Watch a live run with MODEL for long, then mistreat it."""
    # first, so that half an hour later nothing can keep the record from being written
    before, conditions = read_conditions(), _conditions(model, threads)
    try:
        with tempfile.TemporaryDirectory(prefix="edgeseg-soak-") as folder:
            plan = _Plan(model, minutes, threads, fps, outputs)
            soak = _soak(plan, Path(folder))
    except EdgesegError as error:
        raise click.ClickException(str(error)) from error
    record = {
        "kind": "soak",
        "minutes": minutes,
        "camera_fps": fps,
        "all_outputs": outputs,
        "conditions": conditions,
        "board": describe_board(),
        "before": before,
        "after": read_conditions(),
        "bars": [bar.to_dict() for bar in soak.bars],
        "phases": soak.phases,
        "passed": all(bar.passed for bar in soak.bars),
    }
    if record_path is not None:
        write_record(record_path, record)
        click.echo(f"written: {record_path}")
    sys.exit(0 if record["passed"] else 1)


@dataclass(frozen=True)
class _Plan:
    model: Path
    minutes: float
    threads: int | None
    fps: float
    outputs: bool


def _soak(plan: _Plan, folder: Path) -> Soak:
    camera_port, run_port = children.free_port(), children.free_port()
    with ExitStack() as stack:
        cameras = [children.start_camera(camera_port, folder, plan.fps)]
        stack.callback(lambda: cameras[-1].close())
        _wait_for_camera(camera_port)
        words = [str(plan.model), f"http://127.0.0.1:{camera_port}/stream.mjpg"]
        words += ["-o", f"web:127.0.0.1:{run_port}", "-o", "null:"]
        words += ["--threads", str(plan.threads)] if plan.threads else []
        outputs = stack.enter_context(Outputs(folder)) if plan.outputs else None
        words += outputs.words if outputs else []
        run = stack.enter_context(children.start_run(words, folder))
        soak = Soak(folder, run_port, run, click.echo)
        _wait_for_frames(soak, 1)
        url = f"http://127.0.0.1:{run_port}/"
        stack.enter_context(children.start_browser(url, folder))
        wait_until(lambda: _watching(run_port) == 1, _START_S)
        with ExitStack() as visits:
            visitor = visits.enter_context(Visitor(run_port)) if outputs else None
            base = _leave_alone(soak, 60 * plan.minutes)
        if visitor is not None:
            soak.phases["visitor"] = {"visits": visitor.visits}
        calm = min(30.0, 30 * plan.minutes)
        _kill_cameras(soak, cameras, camera_port, calm, base, plan.fps)
        _never_read(soak, calm, base)
        _crowd(soak, calm, base)
        soak.keeps_rate("at the end", calm, base)
        if outputs is not None:
            frames = frames_of(run_port) or 0
            run.close()
            for bar in outputs.bars(frames):
                soak.bar(bar)
    return soak


def _leave_alone(soak: Soak, seconds: float) -> float:
    """Watch a run that nothing is done to; return its rate."""
    soak.watch("warm-up", min(60.0, seconds / 3))
    samples = soak.watch("left alone", seconds)
    for bar in steady_bars(samples):
        soak.bar(bar)
    soak.bar(at_least("browsers that watch", _watching(soak.run_port), 1))
    return rate(samples)


def _kill_cameras(
    soak: Soak, cameras: list[Child], port: int, calm: float, base: float, fps: float
) -> None:
    for turn in range(1, _KILLS + 1):
        cameras[-1].kill()
        time.sleep(_AWAY_S)
        soak.run.check()
        frames = frames_of(soak.run_port) or 0
        cameras.append(children.start_camera(port, soak.folder, fps))
        _wait_for_camera(port)
        took = _wait_for_frames(soak, frames + 1)
        soak.bar(at_most(f"seconds to recover, kill {turn}", took, RECOVERY_S))
        soak.keeps_rate(f"after kill {turn}", calm, base)


def _never_read(soak: Soak, calm: float, base: float) -> None:
    with connect(soak.run_port):
        soak.keeps_rate("with a client that never reads", calm, base)


def _crowd(soak: Soak, calm: float, base: float) -> None:
    room = _STREAMS - (_watching(soak.run_port) or 0)
    with connect(soak.run_port), Crowd(soak.run_port, _CROWD) as crowd:
        soak.phases["crowd"] = {"answers": dict(crowd.statuses)}
        refused, served = crowd.statuses["503"], crowd.statuses["200"]
        soak.bar(at_least("clients served", served, room - 1))
        soak.bar(at_least("clients told 503", refused, _CROWD - room))
        soak.bar(at_most("clients told neither", _CROWD - refused - served, 0))
        soak.keeps_rate(f"with {_CROWD} clients", calm, base)


def _wait_for_camera(port: int) -> None:
    """Wait until the camera gives pictures: drawing its scenes takes a while."""
    if wait_until(lambda: bool(frames_of(port)), _START_S) is None:
        raise InputError(f"the camera gave nothing in {_START_S:.0f} s")


def _wait_for_frames(soak: Soak, count: int) -> float | None:
    def come() -> bool:
        soak.run.check()
        return (frames_of(soak.run_port) or 0) >= count

    return wait_until(come, _START_S)


def _watching(port: int) -> int:
    state = state_of(port)
    return 0 if state is None else int(state["streams"]["watching"])


def _conditions(model: Path, threads: int | None) -> Json:
    from edgeseg.runtime import Segmenter

    with Segmenter.open(model, threads=threads) as segmenter:
        return conditions(model, segmenter)


def _start_middle_end(samples: list[Sample]) -> Json:
    """Return medians of the first, the middle and the last fifth of a phase."""
    fifth = max(1, len(samples) // 5)
    middle = (len(samples) - fifth) // 2
    parts = {"start": 0, "middle": middle, "end": len(samples) - fifth}
    return {
        name: {
            "resident_mib": round(
                statistics.median(one.resident_bytes for one in part) / 2**20, 1
            ),
            "threads": statistics.median(one.threads for one in part),
            "descriptors": statistics.median(one.descriptors for one in part),
        }
        for name, part in (
            (name, samples[first : first + fifth]) for name, first in parts.items()
        )
    }


def _line(one: Sample) -> str:
    return (
        f"{one.frames} frames, {one.resident_bytes / 2**20:.1f} MiB, "
        f"{one.threads} threads, {one.descriptors} descriptors"
    )


if __name__ == "__main__":
    main()
