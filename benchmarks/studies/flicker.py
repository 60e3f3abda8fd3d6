"""How steady a segmentation is, and what trail smoothing leaves.

``python -m edgeseg.benchmarks.studies.flicker RECORD.json [--frames 40]`` makes clips
of the photos that ship, adds noise as a sensor does, and segments them with the models
that ship: each frame alone, smoothed, and smoothed along the motion. *Flicker* is the
share of pixels near a border that change from one frame to the next, on a still scene.
*Agreement* is the share of pixels near a border that have the class which the same
network gives, frame by frame, to the clip without noise: where smoothing leaves a
trail it falls.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import os
import statistics
import time
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.record import conditions, write_record
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.benchmarks.studies.live.cutouts import Actor, cut_out, frame_at
from edgeseg.runtime import Capture, PipelineOptions, Segmenter, open_source
from edgeseg.runtime.commands.options import PATH
from edgeseg.runtime.pictures.files import read_picture
from edgeseg.runtime.pipeline.segmenting import Inference
from edgeseg.runtime.shipped import find_model, photo_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json

MODELS = ("animals", "voc")
FPS = 25
NOISE = 8.0  # grey levels: a small camera in a room
_NEAR = 4  # pixels to either side of a border
_SETTLED = 6  # frames after which smoothing has its full effect
SETTINGS = {
    "none": PipelineOptions(),
    "smooth 0.5": PipelineOptions(smoothing=0.5),
    "smooth 0.7": PipelineOptions(smoothing=0.7),
    "smooth 0.5, follow motion": PipelineOptions(smoothing=0.5, follow_motion=True),
    "smooth 0.7, follow motion": PipelineOptions(smoothing=0.7, follow_motion=True),
}


def clips(segmenter: Segmenter, frames: int) -> dict[str, list[NDArray[np.uint8]]]:
    """Return clips without noise, ``(480, 640, 3)`` uint8 RGB each frame.

    ``still`` does not move; in ``pan`` and ``fast pan`` the camera glides; in ``walk``
    the camera stands and a person walks.
    """
    import numpy as np

    place = photo_folder() / "astronaut.jpg"
    quiet = np.random.default_rng(0)
    person = cut_out(segmenter, read_picture(place), "person", 340)
    walk = Actor(person, ((0.0, 60.0, 280.0), (frames / FPS, 580.0, 280.0)))
    return {
        "still": _panned(place, frames)[:1] * frames,
        "pan": _panned(place, frames),
        "fast pan": _panned(place, frames // 3),
        "walk": [frame_at([walk], i / FPS, quiet) for i in range(frames)],
    }


def _panned(photo: Path, frames: int) -> list[NDArray[np.uint8]]:
    with open_source(f"pan:{photo},frames={frames}") as source:
        return [capture.frame for capture in source.captures()]


def segmented(
    segmenter: Segmenter, frames: Sequence[NDArray[np.uint8]], options: PipelineOptions
) -> tuple[list[NDArray[np.uint8]], float]:
    """Return the class ids of each frame, and the median ms beside the inference."""
    inference, ids, spent = Inference(segmenter, options), [], []
    for index, frame in enumerate(frames):
        start = time.perf_counter()
        result = inference.segment(Capture(frame, "frame", index / FPS))
        whole = 1000 * (time.perf_counter() - start)
        ids.append(result.ids)
        spent.append(whole - result.timings_ms["invoke"])
    return ids, statistics.median(spent)


def measure(segmenter: Segmenter, frames: int) -> Json:
    """Return the figures of a model for each clip and setting, as JSON values."""
    import numpy as np

    random = np.random.default_rng(1)
    found: dict[str, Json] = {}
    for name, clean in clips(segmenter, frames).items():
        noisy = [
            (frame + random.normal(0, NOISE, frame.shape)).clip(0, 255).astype(np.uint8)
            for frame in clean
        ]
        wanted, _ = segmented(segmenter, clean, SETTINGS["none"])
        borders = [_near_border(ids) for ids in wanted]
        found[name] = {}
        for setting, options in SETTINGS.items():
            ids, beside_ms = segmented(segmenter, noisy, options)
            first = min(_SETTLED, len(ids) // 2)
            agree = [
                float((one == other)[border].mean())
                for one, other, border in zip(ids, wanted, borders, strict=True)
            ][first:]
            row = {
                "agreement": round(statistics.mean(agree), 4),
                "beside_inference_ms": round(beside_ms, 2),
            }
            if name == "still":
                change = [
                    float((now != before)[borders[0]].mean())
                    for now, before in zip(ids[first:], ids[first - 1 :], strict=False)
                ]
                row["flicker"] = round(statistics.mean(change), 4)
            found[name][setting] = row
    return found


def _near_border(ids: NDArray[np.uint8]) -> NDArray[np.bool_]:
    import cv2
    import numpy as np

    square = np.ones((2 * _NEAR + 1, 2 * _NEAR + 1), np.uint8)
    return np.asarray(cv2.dilate(ids, square) != cv2.erode(ids, square), np.bool_)


@click.command()
@click.argument("record", type=PATH, metavar="RECORD.json")
@click.option("--frames", type=click.IntRange(12), default=40, show_default=True)
@click.option("--model", "names", multiple=True, default=MODELS, show_default=True)
def main(record: Path, frames: int, names: tuple[str, ...]) -> None:
    """Measure every clip and setting, and write the record."""
    before = os.getloadavg()[0]
    models = {}
    for name in names:
        with Segmenter.open(name) as segmenter:
            found = measure(segmenter, frames)
            models[name] = {**conditions(find_model(name), segmenter), "clips": found}
        for clip, rows in found.items():
            for setting, row in rows.items():
                click.echo(f"{name:10}{clip:10}{setting:28}{row}")
    values = {
        "models": models,
        "noise": f"normal, deviation {NOISE:g} of 255",
        "clips": f"640x480, {FPS} a second, {frames} frames (fast pan: a third)",
        "machine": machine(),
        "load_average": {"before": before, "after": os.getloadavg()[0]},
    }
    write_record(record, values)


if __name__ == "__main__":
    main()
