"""Connected parts of classes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.devices import InputError
from edgeseg.runtime import Segmentation
from edgeseg.runtime.segmentation.blobs import MOST, find_blobs

LABELS = ("background", "person", "dog")


def flooded(ids, class_id):
    """Return the areas of connected parts, found pixel by pixel."""
    left = {tuple(place) for place in np.argwhere(ids == class_id)}
    areas = []
    while left:
        edge, area = [left.pop()], 0
        while edge:
            row, column = edge.pop()
            area += 1
            for near in [
                (row + down, column + across)
                for down in (-1, 0, 1)
                for across in (-1, 0, 1)
            ]:
                if near in left:
                    left.remove(near)
                    edge.append(near)
        areas.append(area)
    return sorted(areas, reverse=True)


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.9))
def test_blobs_are_what_flooding_finds(seed, share):
    random = np.random.default_rng(seed)
    ids = np.where(random.random((9, 14)) < share, random.integers(1, 3), 0)
    ids = ids.astype(np.uint8)
    for class_id in (1, 2):
        found = find_blobs(ids, [class_id])
        assert [blob.area for blob in found] == flooded(ids, class_id)[:MOST]
        for blob in found:
            left, top, width, height = blob.box
            assert blob.area <= width * height
            assert left <= blob.centroid[0] <= left + width - 1
            assert top <= blob.centroid[1] <= top + height - 1


def two_dogs_and_a_person():
    ids = np.zeros((480, 640), np.uint8)
    ids[100:200, 40:80] = 1
    ids[300:340, 400:480] = 2
    ids[310:330, 100:140] = 2
    return Segmentation(ids, LABELS, {})


def test_a_segmentation_gives_blobs_of_all_classes_but_background():
    found = two_dogs_and_a_person().blobs()
    assert [(blob.class_id, blob.area) for blob in found] == [
        (1, 4000),
        (2, 3200),
        (2, 800),
    ]
    assert found[1].box == (400, 300, 80, 40)
    assert found[1].centroid == (439.5, 319.5)
    assert found[1].foot == (440, 340)


def test_classes_are_named_and_small_blobs_left_out():
    segmentation = two_dogs_and_a_person()
    assert [blob.area for blob in segmentation.blobs(["dog"], min_area=801)] == [3200]
    assert len(segmentation.blobs(min_area=0.005)) == 2
    with pytest.raises(InputError, match="unknown class 'cat'; known: background, per"):
        segmentation.blobs(["cat"])
    with pytest.raises(InputError, match="min_area: expected 0 or more"):
        segmentation.blobs(min_area=-1)


@pytest.mark.parametrize("step", [2, 3, 4, 5])
def test_a_coarser_grid_gives_the_same_blobs_to_within_its_step(step):
    ids = two_dogs_and_a_person().ids
    exact, coarse = find_blobs(ids, [1, 2]), find_blobs(ids, [1, 2], step=step)
    assert len(exact) == len(coarse)
    for one, other in zip(exact, coarse, strict=True):
        np.testing.assert_allclose(other.centroid, one.centroid, atol=step / 2)
        np.testing.assert_allclose(other.box, one.box, atol=step)
        sides = 2 * (one.box[2] + one.box[3])
        assert abs(other.area - one.area) <= sides * step
        assert other.box[0] + other.box[2] <= ids.shape[1]


def test_a_picture_of_nothing_but_specks_has_the_most_blobs_that_can_be():
    for side in (300, 600):  # numbered with 16 bits, and with 32
        ids = np.zeros((side, 400), np.uint8)
        ids[::2, ::2] = 1
        ids[1::4, 1::2] = 2
        found = find_blobs(ids, [1, 2])
        assert [blob.class_id for blob in found] == [1] * MOST + [2] * MOST
        assert {blob.area for blob in found} == {1}
