"""Steps at the rate of each weight, decay of kernels alone, schedules, averages."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter.training.average import Average, momentum_for
from edgeseg.converter.training.optimizer import SHAPES, rate_share, rated_adamw


def network():
    import keras

    image = keras.Input((4, 4, 3))
    x = keras.layers.Conv2D(2, 1, name="old")(image)
    return keras.Model(image, keras.layers.Conv2D(2, 1, name="new")(x))


def stepped(factors, *, weight_decay=0.0, rate=0.01, gradient=1.0):
    """Return each weight's change in one step of equal gradients."""
    model = network()
    optimizer = rated_adamw(factors, weight_decay=weight_decay, clip_norm=1e9)
    optimizer.build(model.trainable_variables)
    optimizer.learning_rate = rate
    before = {v.path: v.numpy().copy() for v in model.trainable_variables}
    optimizer.apply(
        [np.full(v.shape, gradient, np.float32) for v in model.trainable_variables]
    )
    after = {v.path: v.numpy() for v in model.trainable_variables}
    return before, {path: after[path] - before[path] for path in after}


def test_a_factor_scales_the_steps_of_its_variable_alone():
    # Adam's first step is the rate itself, whatever the gradient
    _, change = stepped({"old/kernel": 0.1, "old/bias": 0.0})
    np.testing.assert_allclose(change["new/kernel"], -0.01, rtol=1e-3)
    np.testing.assert_allclose(change["old/kernel"], -0.001, rtol=1e-3)
    np.testing.assert_array_equal(change["old/bias"], 0)


def test_kernels_decay_at_their_rate_and_biases_do_not():
    before, change = stepped({"old/kernel": 0.5}, weight_decay=0.1, gradient=0.0)
    np.testing.assert_allclose(
        change["new/kernel"], -0.001 * before["new/kernel"], atol=1e-6
    )
    np.testing.assert_allclose(
        change["old/kernel"], -0.0005 * before["old/kernel"], atol=1e-6
    )
    np.testing.assert_array_equal(change["new/bias"], 0)


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_a_schedule_rises_then_falls_to_nothing(shape):
    shares = [rate_share(s, s / 100, shape=shape, warm_up=10) for s in range(101)]
    top = int(np.argmax(shares))
    assert 8 <= top <= 11
    assert (np.diff(shares[:top]) > 0).all()
    assert (np.diff(shares[top:]) < 0).all()
    assert shares[-1] == 0


def test_an_average_follows_and_steps_in_for_a_while():
    model = network()
    average = Average(model)
    start = model.get_weights()
    model.set_weights([value + 1 for value in start])
    for _ in range(200):
        average.update(0.9)
    with average.in_place():
        for mean, value in zip(model.get_weights(), start, strict=True):
            np.testing.assert_allclose(mean, value + 1, atol=1e-4)
        model.set_weights(start)
    np.testing.assert_allclose(model.get_weights()[0], start[0] + 1, atol=1e-6)


def test_a_long_run_averages_over_more_steps():
    assert momentum_for(10) == 0.5
    assert momentum_for(500) == 0.9
    assert momentum_for(10**6) == 0.998
