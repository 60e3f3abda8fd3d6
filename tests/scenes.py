"""Drawn scenes with truth, as a data set on disk."""

from __future__ import annotations

import numpy as np

from edgeseg.runtime.accuracy.scores import confusion_matrix, scores
from edgeseg.runtime.drawing.overlay import colour_table
from edgeseg.runtime.pictures.files import write_ids, write_picture
from edgeseg.runtime.sources.synthetic import LABELS, SyntheticSource


def draw_dataset(folder, count=12):
    """Write scenes in PASCAL VOC's layout, one row of void in each."""
    source = SyntheticSource("160x120,still,seed=2")
    names = [f"scene{index}" for index in range(count)]
    for index, name in enumerate(names):
        frame, ids = source.scene(index)
        ids[0] = 255
        write_picture(folder / "JPEGImages" / f"{name}.jpg", frame)
        write_ids(folder / "SegmentationClass" / f"{name}.png", ids, colour_table(()))
    lists = folder / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("\n".join(names))
    (folder / "labels.txt").write_text("\n".join(LABELS))
    return folder


def draw_calibration(folder, count):
    """Write scenes as pictures and return the folder."""
    source = SyntheticSource(f"320x240,still,seed=1,frames={count}")
    for capture in source.captures():
        write_picture(folder / f"{capture.name}.png", capture.frame)
    return folder


def score_scenes(segmenter, count):
    """Return the mIoU on drawn scenes of another seed than those of training."""
    source = SyntheticSource(f"320x240,still,seed=2,frames={count}")
    matrix = np.zeros((len(LABELS), len(LABELS)), np.int64)
    for index in range(count):
        frame, truth = source.scene(index)
        ids = segmenter.segment(frame).ids
        matrix += confusion_matrix(truth, ids, len(LABELS))
    return scores(matrix, LABELS).miou
