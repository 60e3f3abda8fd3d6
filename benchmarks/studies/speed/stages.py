"""What pre- and post-processing cost beside the network, and what they did cost.

``python -m edgeseg.benchmarks.studies.speed.stages SHARED RECORD.json`` segments photos
with two threads and takes the stages' times from the segmenter. In the same run,
picture after picture, the plain implementations (`plain`) do the same work: the record
holds both, their ratio, and that both gave the same class ids. SHARED holds ``models``
and ``data/voc-animals``. ``--models FOLDER`` keeps the converted models there and takes
those that it has; ``--note TEXT`` goes into the record, such as what else ran.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.benchmarks.record import write_record
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.benchmarks.studies.speed.plain import plain_class_ids, plain_tensor
from edgeseg.converter import convert
from edgeseg.converter.loading.format import Loading
from edgeseg.runtime import Overrides, Segmenter
from edgeseg.runtime.pictures.files import read_picture
from edgeseg.runtime.segmentation.letterbox import Letterbox, encoding_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json


THREADS = 2
PHOTOS = 32
# Height and width that most photos of PASCAL VOC have
VOC_HW = (375, 500)
# How often all frames are taken
ROUNDS = 4


@dataclass(frozen=True)
class StageCase:
    """A model and the size of its frames.

    Parameters
    ----------
    model : str
        File below ``models``: a ``.tflite``, or a Keras model to be converted.
    frame_hw : (int, int)
        Height and width that the photos are scaled to.
    labels : str
        Label set.
    loading : Loading
        How a Keras model is loaded.
    """

    model: str
    frame_hw: tuple[int, int]
    labels: str = "pascal-voc"
    loading: Loading = field(default_factory=Loading)


CASES = {
    "voc-a1.0-513-labels": StageCase(
        "tflite/google-coral/deeplabv3_mnv2_pascal_quant.tflite", VOC_HW
    ),
    "voc-a1.0-513-scores-stride-16": StageCase(
        "keras/deeplabv3_mobilenetv2_voc_os16_513_release.h5", (720, 1280)
    ),
    "ade20k32-a1.0-512-scores-stride-4": StageCase(
        "keras/deeplabv3plus_mobilenetv2_ade20k32_os16_513_release.h5",
        (720, 1280),
        "ade20k-mlperf32",
        Loading(size=(512, 512), resize="legacy"),
    ),
}


def photos_of(folder: Path, frame_hw: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Return the first landscape photos of a folder ``(*frame_hw, 3)`` uint8 RGB."""
    import cv2
    import numpy as np

    frames: list[NDArray[np.uint8]] = []
    for path in sorted(folder.glob("*.jpg")):
        photo = read_picture(path)
        if photo.shape[:2] == VOC_HW and len(frames) < PHOTOS:
            scaled = cv2.resize(photo, frame_hw[::-1], interpolation=cv2.INTER_CUBIC)
            frames.append(np.asarray(scaled, np.uint8))
    return frames


def model_of(case: StageCase, shared: Path, folder: Path) -> Path:
    """Return a case's model file, converted into the folder where it is not there."""
    source = shared / "models" / case.model
    if source.suffix == ".tflite":
        return source
    target = folder / f"{source.stem}.tflite"
    if not target.exists():
        convert(
            source,
            calibration=shared / "data/voc-animals/calibration/JPEGImages",
            output=target,
            head="logits-stride",
            io="int8",
            overrides=Overrides(labels=case.labels),
            loading=case.loading,
        )
    return target


def run_case(case: StageCase, shared: Path, folder: Path) -> Json:
    """Measure one case; see `summary`."""
    frames = photos_of(shared / "data/voc-animals/val/JPEGImages", case.frame_hw)
    with Segmenter.open(model_of(case, shared, folder), threads=THREADS) as segmenter:
        head = segmenter.head
        return {
            "frame_hw": list(case.frame_hw),
            "frames": len(frames),
            "output": f"{segmenter.device.outputs[0].dtype} {head.kind}",
            "grid_hw": list(head.grid_hw),
            "classes": head.classes,
            **summary(measure(segmenter, frames)),
        }


def _option(arguments: list[str], name: str, default: str) -> str:
    if name not in arguments:
        return default
    place = arguments.index(name)
    value = arguments[place + 1]
    del arguments[place : place + 2]
    return value


def main(arguments: list[str]) -> None:
    """Measure every case and write the record."""
    note = _option(arguments, "--note", "")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(_option(arguments, "--models", temporary))
        shared, target = map(Path, arguments)
        before = os.getloadavg()[0]
        done = {name: run_case(case, shared, folder) for name, case in CASES.items()}
    record = {
        "cases": done,
        "load_average": {"before": before, "after": os.getloadavg()[0]},
        "machine": machine(),
        "note": note,
        "threads": THREADS,
    }
    write_record(target, record)


def measure(
    segmenter: Segmenter, frames: Sequence[NDArray[np.uint8]], rounds: int = ROUNDS
) -> dict[str, list[float]]:
    """Time every stage on every frame, the plain ones right after the others.

    Parameters
    ----------
    segmenter : Segmenter
        What is measured.
    frames : sequence of ndarray
        ``(H, W, 3)`` uint8 RGB.
    rounds : int
        How often all frames are taken; one more comes first and is left out.

    Returns
    -------
    dict of str to list of float
        Milliseconds of ``preprocess``, ``invoke``, ``postprocess``, ``wall``,
        ``plain_preprocess`` and ``plain_postprocess``, one a frame and round.

    Raises
    ------
    ValueError
        The plain implementation gave other class ids.
    """
    spent: dict[str, list[float]] = defaultdict(list)
    for turn in range(-1, rounds):
        for frame in frames:
            times = _one(segmenter, frame)
            for stage, ms in times.items() if turn >= 0 else ():
                spent[stage].append(ms)
    return dict(spent)


def _one(segmenter: Segmenter, frame: NDArray[np.uint8]) -> dict[str, float]:
    import numpy as np

    start = time.perf_counter()
    result = segmenter.segment(frame)
    wall = 1000 * (time.perf_counter() - start)
    plain, ids = _plain(segmenter, frame)
    if not np.array_equal(ids, result.ids):
        raise ValueError("the plain implementation gives other class ids")
    return {**result.timings_ms, "wall": wall, **plain}


def _plain(
    segmenter: Segmenter, frame: NDArray[np.uint8]
) -> tuple[dict[str, float], NDArray[np.uint8]]:
    """Return times and class ids of the plain implementations."""
    manifest, hw = segmenter.manifest, segmenter.input_hw
    spec_in, spec_out = segmenter.device.inputs[0], segmenter.output
    table = encoding_table(spec_in, manifest)
    times = [time.perf_counter()]
    tensor = plain_tensor(frame, hw, manifest, table)
    times.append(time.perf_counter())
    output = segmenter.infer(tensor)
    placement = Letterbox.of((frame.shape[0], frame.shape[1]), hw, manifest.fit)
    times.append(time.perf_counter())
    ids = plain_class_ids(output, spec_out, segmenter.head, placement, manifest.resize)
    times.append(time.perf_counter())
    spent = {
        "plain_preprocess": 1000 * (times[1] - times[0]),
        "plain_postprocess": 1000 * (times[3] - times[2]),
    }
    return spent, ids


def summary(spent: Mapping[str, Sequence[float]]) -> Json:
    """Return medians with quartiles of what `measure` gave, and of their ratios.

    ``share`` is preprocessing and postprocessing over invoke, ``plain_share`` the
    same of the plain ones, ``gain`` the plain ones over the others, ``of_wall`` the
    three stages over the wall time; each is taken frame by frame.

    Examples
    --------
    >>> one = {"preprocess": [1.0], "invoke": [20.0], "postprocess": [1.0]}
    >>> plain = {"plain_preprocess": [4.0], "plain_postprocess": [6.0]}
    >>> summary({**one, **plain, "wall": [22.0]})["gain"]
    {'median': 5.0, 'quartiles': [5.0, 5.0]}
    """
    import numpy as np

    ms = {stage: np.array(values) for stage, values in spent.items()}
    own = ms["preprocess"] + ms["postprocess"]
    plain = ms["plain_preprocess"] + ms["plain_postprocess"]
    return {
        "ms": {stage: _spread(values) for stage, values in ms.items()},
        "share": _spread(own / ms["invoke"]),
        "plain_share": _spread(plain / ms["invoke"]),
        "gain": _spread(plain / own),
        "of_wall": _spread((own + ms["invoke"]) / ms["wall"]),
        "queries": len(own),
    }


def _spread(values: NDArray[np.float64]) -> Json:
    import numpy as np

    low, median, high = np.percentile(values, [25, 50, 75])
    return {
        "median": round(float(median), 4),
        "quartiles": [round(float(low), 4), round(float(high), 4)],
    }


if __name__ == "__main__":
    main(sys.argv[1:])
