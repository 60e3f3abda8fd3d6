"""Whether the events of zones and lines are right, and what they cost.

``python -m edgeseg.benchmarks.studies.live.events RECORD.json [--model voc]`` cuts a
person and a cat out of the photos that ship, lets them glide over a drawn ground along
known paths, and segments every frame with a model that ships. What a `Watch` says is
held against the paths, at 30, 15 and 5 frames a second, with all frames and with three
of ten lost. Then the time of a `Watch` is taken on frames with seven classes, each step
alone as well.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.record import conditions, write_record
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.benchmarks.studies.live.cutouts import Actor, cut_out, frame_at
from edgeseg.runtime import Line, Manifest, Segmentation, Segmenter, Watch, Zone
from edgeseg.runtime.commands.options import MODEL, PATH
from edgeseg.runtime.pictures.files import read_picture
from edgeseg.runtime.segmentation.blobs import find_blobs
from edgeseg.runtime.shipped import photo_folder
from edgeseg.runtime.zones.tracking import Tracker

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json

FPS, SECONDS = 30, 20
RATES = (30, 15, 5)
LOST = 0.3  # share of frames, in the runs with losses
BAR_MS = 1.0
# What a mask's centroid may be beside the thing's, in seconds of its way: 15 pixels
_EARLY_S = 0.25
ZONES = (
    Zone("door", ((0, 100), (240, 100), (240, 480), (0, 480)), ("person",), dwell_s=3),
    Zone("hall", ((420, 0), (640, 0), (640, 480), (420, 480)), ("person",)),
    Zone(
        "lawn", ((0, 340), (640, 340), (640, 480), (0, 480)), ("cat",), threshold=0.03
    ),
)
LINES = (Line("gate", ((400, 0), (400, 480))),)
WALK = ((1, 540, 300), (8, 120, 300), (11, 120, 300), (18, 540, 300))
WAIT = ((9, 580, 100), (17, 580, 100))
PROWL = ((2, 560, 410), (6, 300, 410), (9, 300, 410), (13, 560, 410))
# kind, place, class, count or direction, and when the paths say that it began
TRUTH: tuple[tuple[str, str, str, int | str, float], ...] = (
    ("enter", "hall", "person", 1, 1.0),
    ("count", "hall", "person", 1, 1.0),
    ("enter", "lawn", "cat", 1, 2.0),
    ("count", "lawn", "cat", 1, 2.0),
    ("leave", "hall", "person", 0, 3.0),
    ("count", "hall", "person", 0, 3.0),
    ("cross", "gate", "person", "in", 3.333),
    ("cross", "gate", "cat", "in", 4.462),
    ("enter", "door", "person", 1, 6.0),
    ("count", "door", "person", 1, 6.0),
    ("dwell", "door", "person", 1, 6.0),
    ("enter", "hall", "person", 1, 9.0),
    ("count", "hall", "person", 1, 9.0),
    ("cross", "gate", "cat", "out", 10.538),
    ("leave", "door", "person", 0, 13.0),
    ("count", "door", "person", 0, 13.0),
    ("leave", "lawn", "cat", 0, 13.0),
    ("count", "lawn", "cat", 0, 13.0),
    ("cross", "gate", "person", "out", 15.667),
    ("count", "hall", "person", 2, 16.0),
    ("count", "hall", "person", 1, 17.0),
    ("leave", "hall", "person", 0, 18.0),
    ("count", "hall", "person", 0, 18.0),
)


@click.command()
@click.argument("target", type=PATH)
@click.option("--model", type=MODEL, default="animals", show_default=True)
@click.option("--threads", default=2, show_default=True, help="Of an inference.")
@click.option("--keep", type=PATH, help="Write some of the frames here, to look at.")
@click.option("--note", default="", help="Kept in the record: what else ran.")
def main(target: Path, model: Path, threads: int, keep: Path | None, note: str) -> None:
    """Hold events against the truth, take times, and write the record."""
    before = os.getloadavg()[0]
    with Segmenter.open(model, threads=threads) as segmenter:
        found = _segmented(segmenter, keep)
        manifest = segmenter.manifest
        around = conditions(model, segmenter)
        runs = [
            _held_against_truth(manifest, found, rate, lost)
            for rate in RATES
            for lost in (0.0, LOST)
        ]
    costs = _costs()
    record = {
        "kind": "zones and events",
        "model": model.stem,
        "scene": {"fps": FPS, "seconds": SECONDS, "size_wh": [640, 480]},
        "truth": [list(event) for event in TRUTH],
        "runs": runs,
        "bar_ms": BAR_MS,
        "cost": costs,
        "load": {"before": before, "after": os.getloadavg()[0], "note": note},
        "machine": machine(),
        "conditions": around,
    }
    write_record(target, record)
    for run in runs:
        click.echo(
            f"{run['fps']:2} fps, {run['lost']:.0%} lost: {run['right']} of "
            f"{len(TRUTH)} right, {len(run['missing'])} missing, {len(run['extra'])} "
            f"extra; furthest from the path {run['furthest_s']:.2f} s"
        )
    for name, spread in costs["ms"].items():
        click.echo(
            f"{name}: least {spread['least']:.3f} ms, median {spread['p50']:.3f} ms, "
            f"p90 {spread['p90']:.3f} ms"
        )


def _segmented(segmenter: Segmenter, keep: Path | None) -> list[Segmentation]:
    """Return the classes of every frame of the scene, at the full rate."""
    import numpy as np
    from PIL import Image

    person, cat = (
        read_picture(photo_folder() / f"{name}.jpg") for name in ("astronaut", "cat")
    )
    walker = cut_out(segmenter, person, "person", 190)
    waiter = cut_out(segmenter, np.ascontiguousarray(person[:, ::-1]), "person", 140)
    prowler = cut_out(segmenter, cat, "cat", 100)
    actors = [Actor(walker, WALK), Actor(waiter, WAIT), Actor(prowler, PROWL)]
    random = np.random.default_rng(0)
    found = []
    for index in range(FPS * SECONDS):
        frame = frame_at(actors, index / FPS, random)
        found.append(segmenter.segment(frame))
        if keep is not None and index % (2 * FPS) == FPS:
            keep.mkdir(exist_ok=True)
            Image.fromarray(frame).save(keep / f"{index:04d}.png")
    return found


def _held_against_truth(
    manifest: Manifest, found: list[Segmentation], rate: int, lost: float
) -> Json:
    import numpy as np

    random = np.random.default_rng(rate)
    watch = Watch(manifest, ZONES, LINES)
    events, last_s, pause_s = [], 0.0, 0.0
    for index in range(0, len(found), FPS // rate):
        if random.random() < lost:
            continue
        now_s = index / FPS
        pause_s, last_s = max(pause_s, now_s - last_s), now_s
        for event in watch.update(found[index], now_s).events:
            more = event.direction if event.kind == "cross" else event.count
            events.append((event.kind, event.place, event.label, more, event.since_s))
    missing, furthest = [], 0.0
    slack = pause_s + _EARLY_S
    for *what, since in TRUTH:
        near = [e for e in events if list(e[:4]) == what and abs(e[4] - since) <= slack]
        if near:
            events.remove(near[0])
            furthest = max(furthest, abs(near[0][4] - since))
        else:
            missing.append([*what, since])
    return {
        "fps": rate,
        "lost": lost,
        "longest_pause_s": round(pause_s, 3),
        "right": len(TRUTH) - len(missing),
        "missing": missing,
        "extra": [list(event) for event in events],
        "furthest_s": round(furthest, 3),
    }


def _costs() -> Json:
    """Return milliseconds a frame, on frames in which seven classes move."""
    frames = [_busy(index) for index in range(300)]
    manifest = Manifest(labels=("background", *(f"class {i}" for i in range(1, 7))))
    watch = Watch(manifest, [_everything(zone) for zone in ZONES], LINES)
    tracker, classes = Tracker(), range(1, 7)
    seen = [Segmentation(ids, manifest.labels, {}) for ids in frames]
    blobs = [find_blobs(ids, classes, min_area=0.001, step=4) for ids in frames]
    steps: dict[str, Callable[[int], object]] = {
        "zones, blobs and tracking": lambda i: watch.update(seen[i], i / FPS),
        "blobs": lambda i: find_blobs(frames[i], classes, min_area=0.001, step=4),
        "blobs of every pixel": lambda i: find_blobs(
            frames[i], classes, min_area=0.001
        ),
        "tracking": lambda i: tracker.update(blobs[i], i / FPS),
    }
    return {
        "classes": 7,
        "zones": len(ZONES),
        "lines": len(LINES),
        "things": statistics.median(len(each) for each in blobs),
        "ms": {name: _timed(work, len(frames)) for name, work in steps.items()},
    }


def _everything(zone: Zone) -> Zone:
    return Zone(zone.name, zone.points, dwell_s=zone.dwell_s, threshold=zone.threshold)


def _timed(work: Callable[[int], object], count: int) -> Json:
    spent = []
    for index in range(count):
        began = time.perf_counter()
        work(index)
        spent.append(1000 * (time.perf_counter() - began))
    spent.sort()
    least, p50, p90 = spent[0], spent[count // 2], spent[count * 9 // 10]
    return {"least": least, "p50": p50, "p90": p90}


def _busy(index: int) -> NDArray[np.uint8]:
    """Return class ids in which two things of each of six classes move."""
    import cv2
    import numpy as np

    ids = np.zeros((480, 640), np.uint8)
    for class_id in range(1, 7):
        for which in (0, 1):
            x = (90 * class_id + 3 * index * (1 - 2 * which)) % 640
            y = 60 + 65 * class_id - 40 * which
            cv2.ellipse(ids, (x, y), (34, 28), 20, 0, 360, class_id, -1)
    return ids


if __name__ == "__main__":
    main()
