"""Small data sets on disk, one drawer a layout: the same two scenes in each."""

from __future__ import annotations

import numpy as np
from layout_writers import WRITERS, Picture
from PIL import Image

from edgeseg.runtime.sources.synthetic import SyntheticSource

NAMES = ("one", "two")
SPLIT = "val"
# Class ids 0 to 3 and void, at the scenes' size: what every layout must give
HW = (24, 32)


def scenes():
    """Return a frame and its true ids for each name."""
    source = SyntheticSource(f"{HW[1]}x{HW[0]},still,seed=4")
    drawn = []
    for index in range(len(NAMES)):
        frame, ids = source.scene(index)
        truth = ids.copy()
        truth[0], truth[1, :4] = 255, [0, 1, 2, 3]
        drawn.append((frame, truth))
    return drawn


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def voc(root):
    for name, (frame, truth) in zip(NAMES, scenes(), strict=True):
        save(root / "JPEGImages" / f"{name}.jpg", frame)
        save(root / "SegmentationClass" / f"{name}.png", truth)
    (root / f"{SPLIT}.txt").write_text("\n".join(NAMES))


def ade20k(root):
    for name, (frame, truth) in zip(NAMES, scenes(), strict=True):
        save(root / "images" / "validation" / f"{name}.jpg", frame)
        stored = np.where(truth == 255, 0, truth + 1).astype(np.uint8)
        save(root / "annotations" / "validation" / f"{name}.png", stored)


def cityscapes(root):
    # road, sidewalk, building, wall, and one of the ids that are not trained on
    stored_ids = {0: 7, 1: 8, 2: 11, 3: 12, 255: 4}
    for name, (frame, truth) in zip(NAMES, scenes(), strict=True):
        stem = f"{SPLIT}/town/{name}"
        save(root / "leftImg8bit" / f"{stem}_leftImg8bit.png", frame)
        stored = np.zeros_like(truth)
        for class_id, value in stored_ids.items():
            stored[truth == class_id] = value
        save(root / "gtFine" / f"{stem}_gtFine_labelIds.png", stored)


def folder(root):
    for name, suffix, (frame, truth) in zip(
        NAMES, ("png", "jpg"), scenes(), strict=True
    ):
        save(root / "images" / f"{name}.{suffix}", frame)
        save(root / "masks" / f"{name}.png", truth)
    (root / "labels.txt").write_text("background\ndisc\nsquare\ntriangle\n")


def _written(layout):
    def draw(root):
        pairs = zip(NAMES, scenes(), strict=True)
        pictures = [Picture(name, frame, truth) for name, (frame, truth) in pairs]
        WRITERS[layout](root, pictures, LABELS, SPLIT)

    return draw


LABELS = ("background", "disc", "square", "triangle")
DRAWERS = {name: _written(name) for name in WRITERS} | {
    "voc": voc,
    "ade20k": ade20k,
    "cityscapes": cityscapes,
    "folder": folder,
}
# layouts whose truth is a mask of class ids, one file a picture
OF_MASKS = ("ade20k", "cityscapes", "folder", "roboflow", "voc")
