from __future__ import annotations

import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.scores import agreement, confusion_matrix, scores


def test_the_matrix_equals_a_count_pixel_by_pixel():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 5, (23, 31), dtype=np.uint8)
    truth[rng.random(truth.shape) < 0.1] = 255
    predicted = rng.integers(0, 5, truth.shape, dtype=np.uint8)
    expected = np.zeros((5, 5), np.int64)
    for t, p in zip(truth.ravel(), predicted.ravel(), strict=True):
        if t != 255:
            expected[t, p] += 1
    np.testing.assert_array_equal(confusion_matrix(truth, predicted, 5), expected)


def test_scores_by_hand():
    # class 0: 6 right of 8 true, 7 predicted; class 1: 3 of 4, 5; class 2: not there
    matrix = np.array([[6, 2, 0], [1, 3, 0], [0, 0, 0]])
    got = scores(matrix, ("a", "b", "c"))
    assert got.per_class_iou == {"a": 6 / 9, "b": 3 / 6, "c": None}
    np.testing.assert_allclose(got.miou, (6 / 9 + 3 / 6) / 2)
    np.testing.assert_allclose(got.pixel_accuracy, 9 / 12)
    np.testing.assert_allclose(got.mean_accuracy, (6 / 8 + 3 / 4) / 2)
    np.testing.assert_allclose(got.fw_iou, 6 / 9 * 8 / 12 + 3 / 6 * 4 / 12)


def test_the_mean_can_be_over_some_classes():
    matrix = np.array([[6, 2, 0], [1, 3, 0], [0, 0, 5]])
    np.testing.assert_allclose(scores(matrix, "abc", (1, 2)).miou, (0.5 + 1) / 2)


def test_none_of_the_classes_in_the_truth():
    with pytest.raises(InputError, match="none of the classes"):
        scores(np.diag([3, 0]), "ab", (1,))


def test_sizes_and_ids_are_checked():
    ids = np.zeros((2, 2), np.uint8)
    with pytest.raises(InputError, match="differ in size"):
        confusion_matrix(ids, ids[:1], 2)
    with pytest.raises(InputError, match="below 2 in the prediction, got 2"):
        confusion_matrix(ids, ids + 2, 2)


def test_agreement_is_the_share_of_equal_labels():
    ids = np.arange(12, dtype=np.uint8).reshape(3, 4)
    other = ids.copy()
    other[0, :3] = 99
    assert agreement(ids, ids) == 1
    assert agreement(ids, other) == 9 / 12
    with pytest.raises(InputError, match="one size"):
        agreement(ids, ids.T)
