"""What several cameras in one process reach together, against one alone.

``python -m edgeseg.benchmarks.studies.live.cameras RECORD.json`` runs one, two and four
drawn cameras of 640x480 and 30 frames a second on one model, each shown on the
page, in turns. The record holds frames a second in sum and of each
camera, the age of frames, and the memory of the process.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.record import conditions, write_record
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.benchmarks.studies.live.children import (
    free_port,
    sample,
    start_run,
    wait_until,
)
from edgeseg.devices import InputError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.commands.options import MODEL, PATH

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

COUNTS = (1, 2, 4)
_SOURCE = "synthetic:640x480,live,fps=30"
_START_S = 120.0  # that a run may take until each camera has frames


@click.command()
@click.argument("target", type=PATH)
@click.option("--model", type=MODEL, default="animals", show_default=True)
@click.option("--rounds", default=3, show_default=True, help="Of all counts.")
@click.option("--seconds", default=20.0, show_default=True, help="Of each run.")
@click.option("--threads", default=2, show_default=True, help="Of an inference.")
@click.option("--note", default="", help="Kept in the record: what else ran.")
def main(
    target: Path, model: Path, rounds: int, seconds: float, threads: int, note: str
) -> None:
    """Measure, and write the record."""
    before = os.getloadavg()[0]
    with Segmenter.open(model, threads=threads) as segmenter:
        around = conditions(model, segmenter)
    runs: dict[int, list[Json]] = {count: [] for count in COUNTS}
    for _ in range(rounds):
        for count in COUNTS:
            runs[count].append(_run(model, count, threads, seconds))
    cases = {f"{count}": _case(each) for count, each in runs.items()}
    for case in cases.values():
        case["of_one"] = case["fps"] / cases["1"]["fps"]
    for name, case in cases.items():
        click.echo(
            f"{name} cameras: {case['fps']:.1f} frames a second in sum "
            f"({case['of_one']:.2f} of one camera's), age p90 {case['age_p90_ms']:.0f} "
            f"ms, {case['resident_mib']:.0f} MiB"
        )
    record = {
        "kind": "several cameras",
        "source": _SOURCE,
        "seconds": seconds,
        "threads": threads,
        "cases": cases,
        "runs": {str(count): each for count, each in runs.items()},
        "load": {"before": before, "after": os.getloadavg()[0], "note": note},
        "machine": machine(),
        "conditions": around,
    }
    write_record(target, record)


def _case(runs: list[Json]) -> Json:
    """Return the medians over the rounds of one count."""
    keys = ("fps", "age_p90_ms", "resident_mib", "least_fps", "most_fps")
    return {key: statistics.median(run[key] for run in runs) for key in keys}


def _run(model: Path, count: int, threads: int, seconds: float) -> Json:
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        config = folder / "cameras.toml"
        config.write_text(_config(model, count, threads, port), "utf-8")
        with start_run(["--config", str(config)], folder) as child:
            names = [f"camera{number}" for number in range(count)]

            def begun() -> bool:
                child.check()
                try:
                    return all(_frames(port, each) > 0 for each in names)
                except OSError:
                    return False

            if wait_until(begun, _START_S) is None:
                raise InputError(f"a run of {count} cameras gave no frames")
            began, before = time.monotonic(), [_frames(port, each) for each in names]
            time.sleep(seconds)
            passed = time.monotonic() - began
            states = [_readings(port, each) for each in names]
            memory = sample(child.pid, 0).resident_bytes / 2**20
    rates = [
        (state["frames"] - frames) / passed
        for state, frames in zip(states, before, strict=True)
    ]
    return {
        "fps": sum(rates),
        "least_fps": min(rates),
        "most_fps": max(rates),
        "age_p90_ms": max(state["age_ms"]["p90"] for state in states),
        "resident_mib": memory,
    }


def _config(model: Path, count: int, threads: int, port: int) -> str:
    cameras = (
        f'[[camera]]\nname = "camera{number}"\nsource = "{_SOURCE},seed={number}"\n'
        for number in range(count)
    )
    head = f'model = "{model}"\nthreads = {threads}\nweb = "127.0.0.1:{port}"\n'
    return head + "".join(cameras)


def _readings(port: int, camera: str) -> Json:
    url = f"http://127.0.0.1:{port}/{camera}/api/state"
    with urllib.request.urlopen(url, timeout=10) as answer:
        readings: Json = json.load(answer)["readings"]
    return readings


def _frames(port: int, camera: str) -> int:
    frames: int = _readings(port, camera)["frames"]
    return frames


if __name__ == "__main__":
    main()
