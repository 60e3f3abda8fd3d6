from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.boundary import (
    boundary_matrix,
    boundary_reach,
    boundary_region,
)
from edgeseg.runtime.accuracy.scores import class_iou, confusion_matrix


def blobs(seed, classes=4, hw=(90, 120)):
    """Ids in areas large enough to have an inside, touching each other and the rim."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, classes, (6, 8), dtype=np.uint8)
    return cv2.resize(coarse, hw[::-1], interpolation=cv2.INTER_NEAREST)


def region_of_one_mask(mask, reach):
    """The paper's way: pad by one pixel of nothing, take off a pixel at a time."""
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    eroded = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=reach)
    return mask - eroded[1:-1, 1:-1]


@pytest.mark.parametrize("reach", [1, 3, 7])
def test_one_pass_equals_the_erosion_of_each_mask(reach):
    ids = blobs(0)
    got = boundary_region(ids, reach)
    assert 0 < got.sum() < got.size
    for k in range(4):
        mask = (ids == k).astype(np.uint8)
        np.testing.assert_array_equal(got & (ids == k), region_of_one_mask(mask, reach))


def test_boundary_iou_equals_a_count_mask_by_mask():
    truth, predicted = blobs(1), np.roll(blobs(1), 4, axis=1)
    truth[40:50] = 255
    reach = boundary_reach(truth.shape)
    counted = truth != 255
    expected = []
    for k in range(4):
        first, second = (
            region_of_one_mask(((ids == k) & counted).astype(np.uint8), reach) > 0
            for ids in (truth, predicted)
        )
        expected.append((first & second).sum() / (first | second).sum())
    got = class_iou(boundary_matrix(truth, predicted, 4))[:4]
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_what_is_said_inside_void_costs_nothing():
    truth = blobs(2)
    edge = boundary_region(truth, 3)
    predicted = truth.copy()
    truth[edge] = 255
    predicted[edge] = (predicted[edge] + 1) % 4
    np.testing.assert_array_equal(
        class_iou(boundary_matrix(truth, predicted, 4))[:4], np.ones(4)
    )


def test_a_ragged_outline_costs_more_than_with_iou():
    truth = np.zeros((300, 400), np.uint8)
    cv2.circle(truth, (200, 150), 100, 1, -1)
    predicted = cv2.resize(truth[::16, ::16], (400, 304))[:300]
    edges = class_iou(boundary_matrix(truth, predicted, 2))[1]
    areas = class_iou(confusion_matrix(truth, predicted, 2))[1]
    assert edges < areas - 0.2


def test_matrices_of_pictures_add_up_and_count_every_pixel_once():
    truth, predicted = blobs(3), blobs(4)
    matrix = boundary_matrix(truth, predicted, 4)
    assert matrix.shape == (5, 5)
    assert matrix.sum() == truth.size
    half = boundary_matrix(truth, predicted, 4) + boundary_matrix(truth, truth, 4)
    assert half.sum() == 2 * truth.size


def test_a_tiny_picture_has_a_reach_of_one():
    assert boundary_reach((4, 4)) == 1
    assert boundary_reach((1080, 1920)) == 44


def test_sizes_and_classes_are_checked():
    ids = blobs(0)
    with pytest.raises(InputError, match="differ in size"):
        boundary_matrix(ids, ids[1:], 4)
    with pytest.raises(InputError, match="at most 254 classes, got 255"):
        boundary_matrix(ids, ids, 255)
