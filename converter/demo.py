"""The demo: the whole path on the model and the scenes that come with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeseg.converter._frameworks import require_extra
from edgeseg.converter.cli import conversion_text
from edgeseg.converter.conversion import convert
from edgeseg.converter.keras_device import open_keras
from edgeseg.runtime import Overrides, Segmenter, Style, open_sink, run_pipeline
from edgeseg.runtime.atomic import write_bytes
from edgeseg.runtime.pictures import write_picture
from edgeseg.runtime.scoring import confusion_matrix, scores
from edgeseg.runtime.sources.synthetic import LABELS, SyntheticSource

if TYPE_CHECKING:
    from collections.abc import Callable

_CALIBRATION_SCENES = 64
_SCORED_SCENES = 200
_CLIP = "640x480,frames=50,seed=3"


def run_demo(folder: Path, *, progress: Callable[[str], None]) -> str:
    """Convert, score and run the small model on drawn shapes.

    Parameters
    ----------
    folder : Path
        Gets ``shapes.tflite``, ``overlays/`` and ``clip.mp4``.
    progress : callable
        Called with a line for each step.

    Returns
    -------
    str
        What was found, for a terminal.
    """
    require_extra()
    model = resources.files("edgeseg.converter.samples") / "shapes.keras"
    labels = folder / "labels.txt"
    write_bytes(labels, ("\n".join(LABELS) + "\n").encode())
    overrides = Overrides(labels=str(labels))
    progress(f"drawing {_CALIBRATION_SCENES} calibration scenes")
    calibration = draw_calibration(folder / "calibration", _CALIBRATION_SCENES)
    target = folder / "shapes.tflite"
    with resources.as_file(model) as path:
        result = convert(
            path,
            calibration=calibration,
            output=target,
            overrides=overrides,
            progress=progress,
        )
        progress(f"scoring float and int8 on {_SCORED_SCENES} scenes with known truth")
        with open_keras(path, overrides) as reference:
            float_miou = score_scenes(reference, _SCORED_SCENES)
    with Segmenter.open(target) as segmenter:
        int8_miou = score_scenes(segmenter, _SCORED_SCENES)
    progress("running on a clip")
    found = _run_clip(target, folder)
    return "\n".join(
        [
            conversion_text(result),
            f"mIoU on {_SCORED_SCENES} drawn scenes, {len(LABELS)} classes: float "
            f"{100 * float_miou:.2f} %, int8 {100 * int8_miou:.2f} %",
            found,
            f"look at {folder / 'clip.mp4'} and {folder / 'overlays'}",
        ]
    )


def draw_calibration(folder: Path, count: int) -> Path:
    """Write scenes as pictures and return the folder."""
    source = SyntheticSource(f"320x240,still,seed=1,frames={count}")
    for capture in source.captures():
        write_picture(folder / f"{capture.name}.png", capture.frame)
    return folder


def score_scenes(segmenter: Segmenter, count: int) -> float:
    """Return the mIoU on drawn scenes of another seed than those of training.

    Parameters
    ----------
    segmenter : Segmenter
        Open, with the scenes' labels.
    count : int
        Number of scenes.
    """
    source = SyntheticSource(f"320x240,still,seed=2,frames={count}")
    matrix = np.zeros((len(LABELS), len(LABELS)), np.int64)
    for index in range(count):
        frame, truth = source.scene(index)
        ids = segmenter.segment(frame).ids
        matrix += confusion_matrix(truth, ids, len(LABELS))
    return scores(matrix, LABELS).miou


def _run_clip(model: Path, folder: Path) -> str:
    segmenter = Segmenter.open(model)
    source = SyntheticSource(_CLIP)
    style = Style(segmenter.manifest, contours=True, legend=True, fps=source.fps)
    outputs = (str(folder / "clip.mp4"), f"overlay:{folder / 'overlays'}")
    sinks = [open_sink(text, style) for text in outputs]
    tally = run_pipeline(source, segmenter, sinks)
    pixels = sum(tally.pixels.values())
    classes = ", ".join(
        f"{segmenter.manifest.label(i)} {count / pixels:.1%}"
        for i, count in tally.pixels.most_common()
    )
    spent = ", ".join(
        f"{stage} {np.median(values):.2f} ms"
        for stage, values in tally.timings_ms.items()
    )
    return f"{tally.done} frames of 640x480: {classes}; median {spent}"
