"""How near the edges of effects are to the truth, and what they cost.

``python -m edgeseg.benchmarks.studies.edges DATASET SPLIT RECORD.json [--most 100]``
segments the pictures of a data set with the models that ship, draws the opacity of the
subject (all classes that are not background) with each kind of `EDGES`, and compares it
with the truth: boundary IoU of an opacity above a half, and its mean error within 20
pixels of the true border. Pictures in which a network finds less than half of the
subject are left out: an edge cannot mend these. Times are those of frames of 640x480.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.record import conditions, write_record
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.runtime import Segmenter
from edgeseg.runtime.accuracy.boundary import boundary_matrix
from edgeseg.runtime.accuracy.dataset import picture_with_truth
from edgeseg.runtime.accuracy.matching import match_model
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.accuracy.scores import class_iou, confusion_matrix
from edgeseg.runtime.commands.options import PATH
from edgeseg.runtime.drawing.effect import EDGES, Scene
from edgeseg.runtime.drawing.matte import matte
from edgeseg.runtime.model.labels import VOID
from edgeseg.runtime.shipped import find_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.dataset import Dataset

MODELS = ("animals", "voc")
_NEAR = 20  # pixels to either side of the border
_LEAST = 0.02  # share of a picture that the subject covers at least
_TIMED = 30


def scenes(
    segmenter: Segmenter, dataset: Dataset
) -> Iterator[tuple[Scene, NDArray[np.uint8]]]:
    """Give each picture with what a model finds in it: 1 is the subject.

    Yields
    ------
    scene : Scene
        Frame and found ids ``(H, W)``.
    truth : ndarray
        ``(H, W)`` uint8: 1 on the true subject, 0 elsewhere, 255 where nobody says.
    """
    import numpy as np

    labels = match_model(segmenter, dataset)
    subject = np.arange(256) > 0
    for name in dataset.ids:
        frame, marked = picture_with_truth(dataset, name)
        true_ids = labels.truth_table[marked]
        truth = np.where(true_ids == VOID, VOID, true_ids > 0).astype(np.uint8)
        ids = segmenter.segment(frame).ids
        found = (labels.predicted_table[ids] > 0).astype(np.uint8)
        is_found = class_iou(confusion_matrix(truth, found, 2))[1] >= 0.5
        if is_found and (truth == 1).mean() >= _LEAST:
            yield Scene(frame, found, subject, np.zeros((256, 3), np.uint8)), truth


def measure(segmenter: Segmenter, dataset: Dataset, most: int) -> Json:
    """Return the figures of a model for each kind of edge, as JSON values."""
    import numpy as np

    whole = {kind: np.zeros((2, 2), np.int64) for kind in EDGES}
    border = {kind: np.zeros((3, 3), np.int64) for kind in EDGES}
    errors: dict[str, list[float]] = {kind: [] for kind in EDGES}
    for scene, truth in islice(scenes(segmenter, dataset), most):
        near = _near_border(truth)
        for kind in EDGES:
            opacity = matte(replace(scene, edges=kind))
            subject = (opacity > 127).astype(np.uint8)
            whole[kind] += confusion_matrix(truth, subject, 2)
            border[kind] += boundary_matrix(truth, subject, 2)
            error = np.abs(opacity[near] / 255 - truth[near])
            errors[kind].append(float(error.mean()))
    return {
        "pictures": len(errors[EDGES[0]]),
        "edges": {
            kind: {
                "boundary_iou": round(float(class_iou(border[kind])[1]), 4),
                "iou": round(float(class_iou(whole[kind])[1]), 4),
                "opacity_error": round(statistics.mean(errors[kind]), 4),
            }
            for kind in EDGES
        },
        "ms_at_640x480": times(segmenter, dataset),
    }


def times(segmenter: Segmenter, dataset: Dataset) -> Json:
    """Return what an inference and each kind of edge take, in ms.

    Of the clock the least counts where other work shares the machine; processor time
    is the mean over all threads.
    """
    import cv2
    import numpy as np

    scene = next(scenes(segmenter, dataset))[0]
    frame = np.asarray(cv2.resize(scene.frame, (640, 480)), np.uint8)
    ids = cv2.resize(scene.ids, (640, 480), interpolation=cv2.INTER_NEAREST)
    scene = replace(scene, frame=frame, ids=np.asarray(ids, np.uint8))
    tensor = segmenter.tensor(frame)
    calls: dict[str, Callable[[], object]] = {"invoke": lambda: segmenter.infer(tensor)}
    for kind in EDGES:
        calls[kind] = partial(matte, replace(scene, edges=kind))
    return {name: _timed(call) for name, call in calls.items()}


def _timed(call: Callable[[], object]) -> Json:
    time.sleep(0.5)  # threads of the one before spin for a moment
    spent, used = [], time.process_time()
    for _ in range(_TIMED):
        start = time.perf_counter()
        call()
        spent.append(1000 * (time.perf_counter() - start))
    return {
        "median": round(statistics.median(spent), 2),
        "least": round(min(spent), 2),
        "processor": round(1000 * (time.process_time() - used) / _TIMED, 2),
    }


def _near_border(truth: NDArray[np.uint8]) -> NDArray[np.bool_]:
    import cv2
    import numpy as np

    square = np.ones((2 * _NEAR + 1, 2 * _NEAR + 1), np.uint8)
    subject = (truth == 1).astype(np.uint8)
    near = cv2.dilate(subject, square) != cv2.erode(subject, square)
    return np.asarray(near & (truth != VOID), np.bool_)


@click.command()
@click.argument("root", type=PATH, metavar="DATASET")
@click.argument("split")
@click.argument("record", type=PATH, metavar="RECORD.json")
@click.option("--most", type=click.IntRange(1), default=100, show_default=True)
def main(root: Path, split: str, record: Path, most: int) -> None:
    """Measure every kind of edge and write the record."""
    dataset = open_dataset(root, split)
    before = os.getloadavg()[0]
    models = {}
    for name in MODELS:
        with Segmenter.open(name) as segmenter:
            found = measure(segmenter, dataset, most)
            models[name] = {**conditions(find_model(name), segmenter), **found}
        for kind, figures in found["edges"].items():
            click.echo(f"{name:10}{kind:10}{figures}")
        click.echo(f"{name:10}{found['ms_at_640x480']}")
    values = {
        "models": models,
        "dataset": f"{root.name}/{split}, at most {most} pictures in which at least "
        "half of the subject is found",
        "machine": machine(),
        "load_average": {"before": before, "after": os.getloadavg()[0]},
    }
    write_record(record, values)


if __name__ == "__main__":
    main()
