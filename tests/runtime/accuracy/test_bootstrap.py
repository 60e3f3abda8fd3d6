from __future__ import annotations

import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.bootstrap import (
    Interval,
    class_bootstrap,
    paired_bootstrap,
)
from edgeseg.runtime.accuracy.class_counts import ClassCounts
from edgeseg.runtime.accuracy.counts import sparse
from edgeseg.runtime.accuracy.scores import class_iou, confusion_matrix, scores


def per_picture(seed, right, pictures=40):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, (pictures, 400), dtype=np.uint8)
    wrong = (truth + rng.integers(1, 3, truth.shape)) % 3
    predicted = np.where(rng.random(truth.shape) < right, truth, wrong)
    pairs = zip(truth, predicted.astype(np.uint8), strict=True)
    return np.stack([confusion_matrix(t, p, 3) for t, p in pairs])


def by_class(*matrices):
    return [ClassCounts.of_matrices(each) for each in matrices]


def test_a_model_does_not_differ_from_itself():
    matrices = per_picture(0, 0.9)
    same = paired_bootstrap(*by_class(matrices, matrices), (0, 1, 2))
    assert (same.difference, same.low, same.high) == (0, 0, 0)


def test_a_clear_difference_has_an_interval_that_excludes_zero():
    first, second = per_picture(0, 0.9), per_picture(1, 0.8)
    got = paired_bootstrap(*by_class(first, second), (0, 1, 2))
    miou = [scores(m.sum(axis=0), "abc").miou for m in (first, second)]
    np.testing.assert_allclose(got.difference, miou[0] - miou[1])
    assert 0 < got.low < got.difference < got.high


def test_noise_alone_has_an_interval_around_zero():
    both = by_class(per_picture(2, 0.85), per_picture(3, 0.85))
    got = paired_bootstrap(*both, (0, 1, 2))
    assert got.low < 0 < got.high


def test_other_pictures_cannot_be_paired():
    others = by_class(per_picture(0, 1), per_picture(0, 1, pictures=9))
    with pytest.raises(InputError, match="same pictures"):
        paired_bootstrap(*others, (0, 1))


def test_one_seed_gives_one_interval():
    both = by_class(per_picture(0, 0.9), per_picture(1, 0.88))
    got = [paired_bootstrap(*both, (0, 1), seed=seed) for seed in (3, 3, 4)]
    assert got[0] == got[1] != got[2]


def rare_class(pictures=30):
    """Confusion matrices in which class 2 has truth in three pictures, 3 in none."""
    rng = np.random.default_rng(5)
    both = rng.integers(1, 50, (2, pictures, 4, 4))
    both[:, 3:, 2, :] = 0
    both[:, :, 3, :] = 0
    return both


def drawn_one_by_one(first, second, chosen, samples):
    """Differences in IoU of each draw, a class without truth NaN: a plain loop."""
    rng = np.random.default_rng(0)
    count = len(first)
    rows = []
    for weights in rng.multinomial(count, np.full(count, 1 / count), samples):
        sums = [np.tensordot(weights, m, axes=1) for m in (first, second)]
        iou = [class_iou(total) for total in sums]
        rows.append(
            [iou[0][k] - iou[1][k] if sums[0][k].any() else np.nan for k in chosen]
        )
    return np.array(rows)


def test_intervals_equal_those_of_draws_scored_one_by_one():
    first, second = rare_class()
    draws = drawn_one_by_one(first, second, (0, 1, 2), 300)
    assert 0 < np.isnan(draws[:, 2]).sum() < 300  # some draws miss the rare class
    mean = paired_bootstrap(*by_class(first, second), (0, 1, 2), samples=300)
    expected = np.quantile(np.nanmean(draws, axis=1), [0.025, 0.975])
    np.testing.assert_allclose((mean.low, mean.high), expected, rtol=1e-12)
    classes = class_bootstrap(*by_class(first, second), (0, 1, 2), samples=300)
    expected = np.nanquantile(draws, [0.025, 0.975], axis=0)
    got = np.transpose([(i.low, i.high) for i in classes])
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_a_class_without_truth_has_no_interval():
    both = by_class(*rare_class())
    got = class_bootstrap(*both, (0, 3))
    assert isinstance(got[0], Interval)
    assert got[1] is None
    with pytest.raises(InputError, match="none of the classes"):
        paired_bootstrap(*both, (3,))


def test_counts_by_class_are_those_of_whole_matrices():
    for matrices in rare_class():
        whole = ClassCounts.of_matrices(matrices)
        from_sparse = ClassCounts.of_sparse(map(sparse, matrices), 4)
        for key in ("right", "true", "predicted"):
            np.testing.assert_array_equal(
                getattr(from_sparse, key), getattr(whole, key)
            )
    with pytest.raises(InputError, match="below 4"):
        ClassCounts.of_sparse([((0, 4, 1),)], 4)
