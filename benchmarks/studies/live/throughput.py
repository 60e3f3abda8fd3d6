"""How much of the network's rate a whole run reaches, and how old its frames get.

``python -m edgeseg.benchmarks.studies.live.throughput --json FILE --photos FOLDER
MODEL...`` makes a 640x480 clip, a view that moves over photos, and measures, in turns,
the network alone, the processor time of the stages beside it, and a run that decodes
the clip, segments it, draws the overlay and drops it; then the age of frames of a live
source with 30 frames a second. The record holds every round.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.record import conditions, write_record
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.benchmarks.studies.live.rates import LIVE_FPS, LiveProtocol, measure
from edgeseg.devices import InputError, OutputError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.capture.opencv import quiet_opencv
from edgeseg.runtime.commands.options import PATH
from edgeseg.runtime.pictures.files import read_picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json


_PHOTOS = 20
BAR = 0.97  # of the rate at which no processor is idle
# Of the clip: a view of this size moves over photos
SIZE_WH = (640, 480)
FPS = 30
# How much larger than the view a photo is, so that there is something to move over
_MARGIN = 1.25


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
    protocol = LiveProtocol(
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


def _case(model: Path, clip: Path, protocol: LiveProtocol) -> Json:
    with Segmenter.open(model, threads=protocol.threads) as segmenter:
        around = conditions(model, segmenter)
    measured = measure(model, clip, protocol)
    live = measured["live"]
    click.echo(
        f"{model.stem}: {measured['ratio']:.3f} of the network's rate, "
        f"{measured['of_bound']:.3f} of what the cores allow (bar {BAR}); "
        f"live age p90 {live['age_p90_ms']:.0f} ms of {live['limit_ms']:.0f} ms"
    )
    return {"conditions": around, **measured}


def write_clip(path: Path, photos: Sequence[Path], frames: int) -> None:
    """Write a clip of MPEG-4 frames, each photo shown for the same time.

    Parameters
    ----------
    path : Path
        The video file.
    photos : sequence of Path
        At least one.
    frames : int
        Frames in all.

    Raises
    ------
    InputError
        There are no photos.
    OutputError
        OpenCV cannot write the file.
    """
    cv2 = quiet_opencv()
    if not photos:
        raise InputError("expected photos to make a clip of, got none")
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, SIZE_WH)
    if not writer.isOpened():
        raise OutputError(f"cannot write {path}: OpenCV has no MPEG-4 encoder")
    each = -(-frames // len(photos))
    written = 0
    for photo in photos:
        for view in _views(read_picture(photo), min(each, frames - written)):
            writer.write(cv2.cvtColor(view, cv2.COLOR_RGB2BGR))
            written += 1
    writer.release()


def _views(photo: NDArray[np.uint8], count: int) -> Iterator[NDArray[np.uint8]]:
    """Move a view from one corner of a photo to the opposite one."""
    import cv2
    import numpy as np

    width, height = SIZE_WH
    scale = _MARGIN * max(width / photo.shape[1], height / photo.shape[0])
    size = round(photo.shape[1] * scale), round(photo.shape[0] * scale)
    large = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    for step in range(count):
        share = step / max(1, count - 1)
        left = round((size[0] - width) * share)
        top = round((size[1] - height) * share)
        yield large[top : top + height, left : left + width]


if __name__ == "__main__":
    main()
