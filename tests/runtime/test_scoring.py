from __future__ import annotations

import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime.scoring import (
    confusion_matrix,
    match_labels,
    paired_bootstrap,
    scores,
)


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


TRUTH = ("background", "cat", "dog", "tvmonitor")


def test_labels_match_by_name_whatever_their_order_and_spelling():
    matching = match_labels(TRUTH, ("TV", "background", "Dog", "cat"))
    np.testing.assert_array_equal(matching.predicted_table[:4], [3, 0, 2, 1])
    np.testing.assert_array_equal(
        matching.truth_table[[0, 1, 2, 3, 255]], [0, 1, 2, 3, 255]
    )
    assert matching.chosen == (0, 1, 2, 3)


def test_truth_that_the_model_does_not_know_counts_as_background():
    matching = match_labels(TRUTH, ("background", "cat", "zebra"))
    np.testing.assert_array_equal(matching.truth_table[:4], [0, 1, 0, 0])
    np.testing.assert_array_equal(matching.predicted_table[:3], [0, 1, 0])
    assert matching.chosen == (0, 1)


def test_merging_folds_what_is_not_named_on_both_sides():
    names = ["background", "cat"]
    matching = match_labels(TRUTH, TRUTH, classes=names, merge_others=True)
    np.testing.assert_array_equal(matching.truth_table[:4], [0, 1, 0, 0])
    np.testing.assert_array_equal(matching.predicted_table[:4], [0, 1, 0, 0])
    kept = match_labels(TRUTH, TRUTH, classes=names)
    np.testing.assert_array_equal(kept.predicted_table[:4], [0, 1, 2, 3])
    assert matching.chosen == kept.chosen == (0, 1)


def test_classes_that_nobody_knows_are_named():
    with pytest.raises(InputError, match="no class 'zebra'"):
        match_labels(TRUTH, TRUTH, classes=["zebra"])
    with pytest.raises(InputError, match="no class name in common"):
        match_labels(TRUTH, ("road", "kerb"))


def per_picture(seed, right, pictures=40):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, (pictures, 400), dtype=np.uint8)
    wrong = (truth + rng.integers(1, 3, truth.shape)) % 3
    predicted = np.where(rng.random(truth.shape) < right, truth, wrong)
    pairs = zip(truth, predicted.astype(np.uint8), strict=True)
    return np.stack([confusion_matrix(t, p, 3) for t, p in pairs])


def test_a_model_does_not_differ_from_itself():
    matrices = per_picture(0, 0.9)
    same = paired_bootstrap(matrices, matrices, (0, 1, 2))
    assert (same.difference, same.low, same.high) == (0, 0, 0)


def test_a_clear_difference_has_an_interval_that_excludes_zero():
    first, second = per_picture(0, 0.9), per_picture(1, 0.8)
    got = paired_bootstrap(first, second, (0, 1, 2))
    miou = [scores(m.sum(axis=0), "abc").miou for m in (first, second)]
    np.testing.assert_allclose(got.difference, miou[0] - miou[1])
    assert 0 < got.low < got.difference < got.high


def test_noise_alone_has_an_interval_around_zero():
    got = paired_bootstrap(per_picture(2, 0.85), per_picture(3, 0.85), (0, 1, 2))
    assert got.low < 0 < got.high


def test_other_pictures_cannot_be_paired():
    with pytest.raises(InputError, match="same pictures"):
        paired_bootstrap(per_picture(0, 1), per_picture(0, 1, pictures=9), (0, 1))
