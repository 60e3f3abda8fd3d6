"""What pre- and post-processing cost beside the network, and what they did cost.

``python -m edgeseg.benchmarks.speed.stages SHARED RECORD.json`` segments photos with
two threads and takes the stages' times from the segmenter. In the same run, picture
after picture, the plain implementations (`plain`) do the same work: the record holds
both, their ratio, and that both gave the same class ids. SHARED holds ``models`` and
``data/voc-animals``. ``--models FOLDER`` keeps the converted models there and takes
those that it has; ``--note TEXT`` goes into the record, such as what else ran.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.benchmarks.conversions import machine
from edgeseg.benchmarks.record import write_record
from edgeseg.benchmarks.speed.stage_times import measure, summary
from edgeseg.converter import convert
from edgeseg.converter.loading.load import Loading
from edgeseg.runtime import Overrides, Segmenter
from edgeseg.runtime.pictures import read_picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

THREADS = 2
PHOTOS = 32
# Height and width that most photos of PASCAL VOC have
VOC_HW = (375, 500)


@dataclass(frozen=True)
class Case:
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
    "voc-a1.0-513-labels": Case(
        "tflite/google-coral/deeplabv3_mnv2_pascal_quant.tflite", VOC_HW
    ),
    "voc-a1.0-513-scores-stride-16": Case(
        "keras/deeplabv3_mobilenetv2_voc_os16_513_release.h5", (720, 1280)
    ),
    "ade20k32-a1.0-512-scores-stride-4": Case(
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


def model_of(case: Case, shared: Path, folder: Path) -> Path:
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


def run_case(case: Case, shared: Path, folder: Path) -> dict[str, Any]:
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


if __name__ == "__main__":
    main(sys.argv[1:])
