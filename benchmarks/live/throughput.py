"""How much of the network's rate a whole run reaches, and how old its frames get.

``python -m edgeseg.benchmarks.live.throughput --json FILE --photos FOLDER MODEL...``
makes a 640x480 clip of photos and measures, in turns, the network alone and a run
that decodes the clip, segments it, draws the overlay and drops it; then the age of
frames of a live source with 30 frames a second. The record holds every round.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import click

from edgeseg.benchmarks.conversions import machine
from edgeseg.benchmarks.live.clip import FPS, SIZE_WH, write_clip
from edgeseg.benchmarks.live.rates import LIVE_FPS, Protocol, measure
from edgeseg.benchmarks.record import conditions, write_record
from edgeseg.runtime import Segmenter
from edgeseg.runtime.options import PATH

_PHOTOS = 20
BAR = 0.85


@click.command()
@click.argument("models", nargs=-1, required=True, type=PATH)
@click.option("--json", "target", type=PATH, required=True, help="The record.")
@click.option("--photos", type=PATH, required=True, help="Folder of JPEG photos.")
@click.option("--rounds", default=5, show_default=True, help="Rounds of each model.")
@click.option("--frames", default=300, show_default=True, help="Frames of the clip.")
@click.option("--seconds", default=20.0, show_default=True, help="Of the live run.")
@click.option("--threads", default=2, show_default=True, help="Of an inference.")
@click.option("--note", default="", help="Kept in the record: what else ran.")
def main(
    models: tuple[Path, ...],
    target: Path,
    photos: Path,
    rounds: int,
    frames: int,
    seconds: float,
    threads: int,
    note: str,
) -> None:
    """Measure every model and write the record."""
    protocol = Protocol(
        rounds=rounds, invocations=frames, live_seconds=seconds, threads=threads
    )
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        write_clip(clip, sorted(photos.glob("*.jpg"))[:_PHOTOS], frames)
        done = {model.stem: _case(model, clip, protocol) for model in models}
    record = {
        "kind": "live throughput",
        "bar": BAR,
        "cases": done,
        "clip": {"size_wh": list(SIZE_WH), "fps": FPS, "frames": frames},
        "live_fps": LIVE_FPS,
        "load_average": {"before": before, "after": os.getloadavg()[0]},
        "machine": machine(),
        "note": note,
        "threads": threads,
    }
    write_record(target, record)


def _case(model: Path, clip: Path, protocol: Protocol) -> dict[str, Any]:
    with Segmenter.open(model, threads=protocol.threads) as segmenter:
        told = conditions(model, segmenter)
    measured = measure(model, clip, protocol)
    live = measured["live"]
    click.echo(
        f"{model.stem}: {measured['ratio']:.3f} of the network's rate (bar {BAR}); "
        f"live age p90 {live['age_p90_ms']:.0f} ms of {live['limit_ms']:.0f} ms"
    )
    return {"conditions": told, **measured}


if __name__ == "__main__":
    main()
