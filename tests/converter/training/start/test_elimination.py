"""Eliminations: the cheapest input goes, and the others make up for it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.converter.training.start.elimination import eliminate


def drawn(seed, channels, outputs, count=400):
    """Return inputs with a last one of 1, and weights."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(count, channels)) @ rng.normal(size=(channels, channels))
    inputs = np.concatenate([np.maximum(mixed, 0), np.ones((count, 1))], axis=1)
    return inputs, rng.normal(size=(channels + 1, outputs))


def fitted(inputs, wanted, without):
    """Return the mean square that is left when some inputs are fitted afresh."""
    left = np.delete(inputs, without, axis=1)
    weights, *_ = np.linalg.lstsq(left, wanted, rcond=None)
    return ((left @ weights - wanted) ** 2).sum(axis=1).mean()


@given(st.integers(0, 10_000), st.integers(3, 12), st.integers(1, 5))
def test_the_first_to_go_is_the_one_that_a_fit_misses_least(seed, channels, outputs):
    inputs, weights = drawn(seed, channels, outputs)
    found = eliminate(weights, inputs.T @ inputs / len(inputs), 1)
    losses = [fitted(inputs, inputs @ weights, [i]) for i in range(channels)]
    (gone,) = set(range(channels)) - set(found.stay.tolist())
    spread = (inputs**2).sum(axis=1).mean()  # what the damping may hide
    assert losses[gone] <= min(losses) + 1e-3 * spread * (weights**2).sum()


@given(st.integers(0, 10_000), st.integers(4, 12), st.integers(1, 3))
def test_those_that_stay_are_fitted_as_well_as_can_be(seed, channels, count):
    inputs, weights = drawn(seed, channels, 4)
    found = eliminate(weights, inputs.T @ inputs / len(inputs), count)
    gone = sorted(set(range(channels)) - set(found.stay.tolist()))
    assert len(gone) == count
    assert not found.weights[gone].any()
    change = inputs @ found.weights - inputs @ weights
    own = (change**2).sum(axis=1).mean()
    best = fitted(inputs, inputs @ weights, gone)
    spread = (inputs**2).sum(axis=1).mean()
    assert own <= best + 1e-3 * spread * (weights**2).sum()


def test_a_sum_of_others_costs_nothing():
    inputs, weights = drawn(3, 6, 4)
    inputs[:, 2] = 2 * inputs[:, 0] - inputs[:, 5] + 0.5
    found = eliminate(weights, inputs.T @ inputs / len(inputs), 1)
    assert found.stay.tolist() != list(range(6))
    change = inputs @ found.weights - inputs @ weights
    assert np.abs(change).max() < 0.05 * np.abs(inputs @ weights).max()


def test_nothing_goes_where_nothing_is_to_go():
    inputs, weights = drawn(4, 5, 2)
    found = eliminate(weights, inputs.T @ inputs / len(inputs), 0)
    assert found.stay.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(found.weights, weights)
