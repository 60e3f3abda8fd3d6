"""The loss against numpy, and void that teaches nothing."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter.training.loss import cross_entropy, mixed, one_hot

ONES = np.ones(3, np.float32)


def example(seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 2, (2, 5, 4, 3)).astype(np.float32)
    target = rng.dirichlet(np.ones(3), (2, 5, 4)).astype(np.float32)
    weight = rng.uniform(0, 2, (2, 5, 4, 1)).astype(np.float32)
    return np.concatenate([target, weight], axis=-1), scores


def test_soft_targets_equal_a_reference():
    target, scores = example()
    powers = np.exp(scores.astype(np.float64))
    logs = np.log(powers / powers.sum(-1, keepdims=True))
    each = -(target[..., :3] * logs).sum(-1)
    expected = (each * target[..., 3]).sum() / target[..., 3].sum()
    np.testing.assert_allclose(
        float(cross_entropy(target, scores)), expected, rtol=1e-5
    )


def test_void_has_no_gradient():
    import tensorflow as tf

    ids = np.array([[0, 255, 2, 255]], np.uint8)
    target = one_hot(ids, ONES)[None]
    scores = tf.Variable(
        np.random.default_rng(0).normal(0, 1, (1, 1, 4, 3)), dtype="float32"
    )
    with tf.GradientTape() as tape:
        loss = cross_entropy(target, scores)
    slope = tape.gradient(loss, scores).numpy()[0, 0]
    assert (slope[[1, 3]] == 0).all()
    assert (np.abs(slope[[0, 2]]).sum(-1) > 0).all()


def test_all_void_is_zero_and_finite():
    target = one_hot(np.full((2, 2), 255, np.uint8), ONES)[None]
    assert float(cross_entropy(target, np.ones((1, 2, 2, 3), np.float32))) == 0


def test_a_teacher_is_mixed_in_and_alone_where_void():
    truth = one_hot(np.uint8([[0, 255]]), ONES)
    teacher = np.float32([[[0.2, 0.8, 0], [0, 0.1, 0.9]]])
    target = mixed(truth, teacher, 0.25)
    np.testing.assert_allclose(target[0, 0], [0.8, 0.2, 0, 1], atol=1e-6)
    np.testing.assert_allclose(target[0, 1], [0, 0.1, 0.9, 0.25], atol=1e-6)


def test_a_pixel_without_an_answer_keeps_the_truth():
    truth = one_hot(np.uint8([[1, 255]]), ONES)
    target = mixed(truth, np.zeros((1, 2, 3), np.float32), 0.5)
    np.testing.assert_array_equal(target, truth)
