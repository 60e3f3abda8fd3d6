"""Rounding that looks at the layer's output: never worse than the nearest step."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.converter.quantization import rounding
from edgeseg.converter.quantization.rounding import (
    LIMIT,
    clipped_scales,
    nearest_steps,
    settle_depthwise,
    settle_steps,
)

seeds = st.integers(0, 2**32 - 1)


def layer(seed, rows, length):
    """Return weights, scales and the covariance of correlated inputs."""
    random = np.random.default_rng(seed)
    mix = random.normal(size=(length, length))
    inputs = random.normal(size=(4 * length, length)) @ mix
    weights = random.normal(size=(rows, length)) * random.uniform(0.1, 3, (rows, 1))
    return weights, clipped_scales(weights), np.cov(inputs, rowvar=False, bias=True)


def curvature(covariance):
    """Return what is minimized: the covariance with one part in a hundred added."""
    size = len(covariance)
    return covariance + 0.01 * np.trace(covariance) / size * np.eye(size)


def output_error(weights, steps, scales, covariance):
    """Return the squared error of each row's output."""
    off = weights - steps * scales[:, None]
    return np.einsum("rd,de,re->r", off, curvature(covariance), off)


def assert_whole(steps):
    np.testing.assert_array_equal(steps, np.rint(steps))
    assert np.abs(steps).max() <= LIMIT


@given(seed=seeds, rows=st.integers(1, 6), length=st.integers(2, 150))
def test_output_error_never_grows(seed, rows, length):
    weights, scales, covariance = layer(seed, rows, length)
    settled = settle_steps(weights, scales, covariance)
    assert_whole(settled)
    near = output_error(weights, nearest_steps(weights, scales), scales, covariance)
    far = output_error(weights, settled, scales, covariance)
    assert (far <= near * (1 + 1e-9)).all()


def test_output_error_shrinks_on_correlated_inputs():
    weights, scales, covariance = layer(3, 16, 72)
    near = output_error(weights, nearest_steps(weights, scales), scales, covariance)
    settled = settle_steps(weights, scales, covariance)
    far = output_error(weights, settled, scales, covariance)
    assert far.sum() < 0.6 * near.sum()


@given(seed=seeds, scale=st.floats(0.2, 1.0))
def test_no_single_weight_can_move_to_a_better_step(seed, scale):
    weights, _, covariance = layer(seed, 3, 4)
    scales = np.full(3, scale)
    settled = settle_steps(weights, scales, covariance)
    reached = output_error(weights, settled, scales, covariance)
    for place, move in itertools.product(range(4), (-1, 1)):
        moved = settled.copy()
        moved[:, place] = np.clip(moved[:, place] + move, -LIMIT, LIMIT)
        beside = output_error(weights, moved, scales, covariance)
        assert (beside >= reached * (1 - 1e-9)).all()


def best_of_all(weights, scale, covariance):
    """Return the least output error over every pair of whole numbers near by."""
    base = np.floor(weights / scale)
    around = itertools.product(range(-3, 5), repeat=len(weights))
    tried = np.clip(base + np.array(list(around)), -LIMIT, LIMIT)
    return output_error(
        np.broadcast_to(weights, tried.shape),
        tried,
        np.full(len(tried), scale),
        covariance,
    ).min()


@given(seed=seeds, scale=st.floats(0.2, 1.0))
def test_two_weights_come_near_the_best_pair(seed, scale):
    weights, _, covariance = layer(seed, 1, 2)
    scales = np.array([scale])
    best = best_of_all(weights[0], scale, covariance)
    settled = settle_steps(weights, scales, covariance)
    near = output_error(weights, nearest_steps(weights, scales), scales, covariance)[0]
    reached = output_error(weights, settled, scales, covariance)[0]
    assert best * (1 - 1e-9) <= reached <= near * (1 + 1e-9)


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
def test_block_size_changes_nothing(block, monkeypatch):
    weights, scales, covariance = layer(5, 4, 130)
    expected = settle_steps(weights, scales, covariance)
    monkeypatch.setattr(rounding, "_BLOCK", block)
    np.testing.assert_array_equal(settle_steps(weights, scales, covariance), expected)


@given(seed=seeds, channels=st.integers(1, 5))
def test_depthwise_rows_are_settled_one_by_one(seed, channels):
    parts = [layer(seed + place, 1, 9) for place in range(channels)]
    weights, scales = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    covariance = np.stack([part[2] for part in parts])
    settled = settle_depthwise(weights, scales, covariance)
    alone = [settle_steps(*part) for part in parts]
    np.testing.assert_array_equal(settled, np.concatenate(alone))


def test_inputs_that_never_vary_leave_the_nearest_steps():
    weights, scales, _ = layer(1, 3, 6)
    settled = settle_steps(weights, scales, np.zeros((6, 6)))
    np.testing.assert_array_equal(settled, nearest_steps(weights, scales))


@given(seed=seeds, length=st.integers(1, 300))
def test_clipping_never_adds_error(seed, length):
    random = np.random.default_rng(seed)
    weights = random.laplace(size=(2, length))
    scales = clipped_scales(weights)
    assert (scales <= np.abs(weights).max(axis=1) / LIMIT * (1 + 1e-12)).all()
    assert (scales > 0).all()


def test_an_outlier_is_clipped_where_it_pays():
    weights = np.random.default_rng(0).normal(size=(1, 100_000))
    wide = np.abs(weights).max(axis=1) / LIMIT
    clipped = clipped_scales(weights)

    def squared(scales):
        return ((weights - nearest_steps(weights, scales) * scales[:, None]) ** 2).sum()

    assert clipped < wide
    assert squared(clipped) < squared(wide)


def test_a_row_of_zeros_has_no_scale():
    assert clipped_scales(np.zeros((1, 4)))[0] == 0
