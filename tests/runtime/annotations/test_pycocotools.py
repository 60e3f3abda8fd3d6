"""Outlines and run lengths against the real pycocotools, pixel for pixel."""

from __future__ import annotations

import json

import numpy as np
import pytest
from layout_writers import WRITERS, Picture
from layouts import LABELS, SPLIT, scenes

from edgeseg.runtime import Manifest, Segmentation, Style, open_sink
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.annotations.areas import painted
from edgeseg.runtime.annotations.enclosed import enclosed
from edgeseg.runtime.annotations.outlines import filled
from edgeseg.runtime.annotations.run_lengths import (
    area_of_runs,
    compressed,
    decompressed,
)
from edgeseg.runtime.capture.source import Capture
from edgeseg.runtime.segmentation.mask_shapes import run_lengths

coco_masks = pytest.importorskip("pycocotools.mask", reason="needs pycocotools")

HW = (61, 83)


def reference(outlines, size_hw):
    lists = [outline.ravel().tolist() for outline in outlines]
    return coco_masks.decode(coco_masks.merge(coco_masks.frPyObjects(lists, *size_hw)))


def drawn(area, size_hw):
    return painted([(area, 1)], size_hw, largest_first=False)


def star(rng, corners, centre, reach):
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radii = rng.uniform(0.2, 1, corners) * reach
    return np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, None] + centre


@pytest.mark.parametrize("kind", ["anywhere", "whole numbers", "star", "thin"])
def test_outlines_enclose_the_pixels_of_pycocotools(kind):
    rng = np.random.default_rng(4)
    for _ in range(200):
        size = tuple(int(n) for n in rng.integers(1, 90, 2))
        count = int(rng.integers(3, 20))
        if kind == "anywhere":
            outline = rng.uniform(-20, 110, (count, 2))
        elif kind == "whole numbers":
            outline = rng.integers(-10, 100, (count, 2)).astype(float)
        elif kind == "star":
            outline = star(rng, count, (size[1] / 2, size[0] / 2), 40)
        else:
            outline = np.array([[1.2, 3.1], [70.3, 44.4], [70.9, 44.4], [1.2, 3.9]])
            outline = outline + rng.uniform(-1, 1, 2)
        found = drawn(enclosed([outline], size), size)
        np.testing.assert_array_equal(found, reference([outline], size))


def test_several_outlines_of_one_object_are_joined():
    rng = np.random.default_rng(5)
    outlines = [star(rng, 9, centre, 25) for centre in ((20, 20), (40, 35), (70, 20))]
    found = drawn(enclosed(outlines, HW), HW)
    np.testing.assert_array_equal(found, reference(outlines, HW))


def test_filled_outlines_hold_the_line_too():
    """The other convention: it is wider by about half a pixel all around."""
    turns = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    disc = np.stack([30 + 15 * np.cos(turns), 30 + 15 * np.sin(turns)], 1)
    wide, exact = filled(disc, HW).pixels, int(reference([disc], HW).sum())
    assert exact == pytest.approx(np.pi * 15**2, rel=0.02)
    assert wide == pytest.approx(np.pi * 15.5**2, rel=0.02)


def test_compressed_run_lengths_are_those_of_pycocotools():
    rng = np.random.default_rng(6)
    for share in (0.0, 0.02, 0.5, 0.98, 1.0):
        mask = rng.random(HW) < share
        runs = run_lengths(mask)
        text = coco_masks.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
        assert compressed(runs["counts"]) == text.decode()
        assert decompressed(text.decode(), "here") == runs["counts"]
        area = area_of_runs(text.decode(), HW, "here")
        np.testing.assert_array_equal(drawn(area, HW), mask)


def test_pycocotools_reads_the_layout_that_is_read_here(tmp_path):
    coco = pytest.importorskip("pycocotools.coco")
    pictures = [Picture(f"p{i}", *scene) for i, scene in enumerate(scenes())]
    WRITERS["coco"](tmp_path, pictures, LABELS, SPLIT)
    dataset = open_dataset(tmp_path, SPLIT)
    theirs = coco.COCO(str(tmp_path / "annotations" / f"instances_{SPLIT}2017.json"))
    for number, name in enumerate(dataset.ids, 1):
        truth = dataset.truth(name)
        for each in theirs.loadAnns(theirs.getAnnIds(imgIds=[number])):
            class_id = 255 if each["iscrowd"] else each["category_id"] // 10
            np.testing.assert_array_equal(
                theirs.annToMask(each).astype(bool), truth == class_id
            )


def test_pycocotools_reads_the_run_lengths_of_json_lines(tmp_path):
    frame, truth = scenes()[0]
    ids = np.where(truth == 255, 0, truth)
    style = Style(Manifest(labels=LABELS), shapes="rle")
    path = tmp_path / "found.jsonl"
    with open_sink(str(path), style) as sink:
        sink.write(Capture(frame, "one", 0.0), Segmentation(ids, LABELS, {}))
    classes = json.loads(path.read_text())["classes"]
    assert [each["id"] for each in classes] == [0, 1, 2, 3]
    for each in classes:
        packed = coco_masks.frPyObjects(each["rle"], *each["rle"]["size"])
        np.testing.assert_array_equal(coco_masks.decode(packed), ids == each["id"])
        assert coco_masks.area(packed) == each["area"]
