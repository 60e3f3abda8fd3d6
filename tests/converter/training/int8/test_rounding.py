"""Rounding in float: the numbers of int8, the gradients of training."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import keras
import tensorflow as tf

from edgeseg.converter.frameworks import third_party
from edgeseg.converter.quantization.rounding import clipped_scales, nearest_steps
from edgeseg.converter.training.int8.layers import (
    fake_quant_layer,
    register,
    rounded_weights_layer,
)
from edgeseg.converter.training.int8.rounding import (
    activation_steps,
    fake_quantize,
    fake_quantize_weights,
    weight_scales,
    weights_on_grid,
)
from edgeseg.devices import TensorSpec

LOWS = st.floats(-50, 0, width=32)
HIGHS = st.floats(0, 50, width=32)
VALUES = arrays(np.float32, (4, 5), elements=st.floats(-100, 100, width=32))
# Output channels last, in the middle, and in the last two axes
KERNELS = [((3, 3, 4, 6), (3,)), ((4, 4, 5, 3), (2,)), ((3, 3, 4, 2), (2, 3))]


def rounded(values, scale, zero_point):
    tensor = keras.ops.convert_to_tensor(values)
    return keras.ops.convert_to_numpy(fake_quantize(tensor, scale, zero_point))


def kernel(shape, seed=1):
    draw = np.random.default_rng(seed)
    return draw.standard_t(3, shape).astype(np.float32)


def rounded_kernel(values, axes):
    tensor = keras.ops.convert_to_tensor(values)
    return keras.ops.convert_to_numpy(fake_quantize_weights(tensor, axes))


def rows(values, axes):
    """Return a kernel as the converter sees it: a row an output channel."""
    wide = np.moveaxis(values.astype(np.float64), axes, range(len(axes)))
    count = int(np.prod([values.shape[axis] for axis in axes]))
    return wide.reshape(count, -1)


def gradient(function, values):
    x = tf.Variable(values)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(function(x))
    return tape.gradient(y, x).numpy()


@given(LOWS, HIGHS)
def test_steps_hold_the_range_and_zero(low, high):
    scale, zero_point = activation_steps(low, high)
    assert -128 <= zero_point <= 127
    assert scale * (-128 - zero_point) <= low + scale * 0.51
    assert scale * (127 - zero_point) >= high - scale * 0.51
    assert rounded(np.zeros(1, np.float32), scale, zero_point) == 0


@given(VALUES, LOWS, HIGHS)
def test_it_computes_what_int8_stores(values, low, high):
    scale, zero_point = activation_steps(low, high)
    spec = TensorSpec("x", values.shape, "int8", scale, zero_point)
    expected = spec.dequantize(spec.quantize(values))
    got = rounded(values, scale, zero_point)
    # float32 division may fall on the other side of a tie, and nowhere else
    tie = np.abs(np.abs(values / np.float64(scale)) % 1 - 0.5) < 1e-4
    np.testing.assert_allclose(got[~tie], expected[~tie], rtol=1e-6)
    np.testing.assert_allclose(got[tie], expected[tie], atol=scale * 1.001)


@given(VALUES, LOWS, HIGHS)
def test_rounding_twice_changes_nothing(values, low, high):
    once = rounded(values, *activation_steps(low, high))
    np.testing.assert_array_equal(rounded(once, *activation_steps(low, high)), once)


@given(VALUES, LOWS, HIGHS)
def test_the_gradient_is_one_inside_and_zero_outside(values, low, high):
    scale, zero_point = activation_steps(low, high)
    ends = [np.float32((end - zero_point) * scale) for end in (-128, 127)]
    inside = (values >= ends[0]) & (values <= ends[1])
    got = gradient(lambda x: fake_quantize(x, scale, zero_point), values)
    np.testing.assert_array_equal(got, inside.astype(np.float32))


def test_a_tensor_that_is_always_zero():
    assert rounded(np.zeros(3, np.float32), *activation_steps(0, 0)).tolist() == [0] * 3


@pytest.mark.parametrize(("shape", "axes"), KERNELS)
def test_weights_get_the_converters_steps(shape, axes):
    values = kernel(shape)
    scales = weight_scales(keras.ops.convert_to_tensor(values), axes)
    expected = clipped_scales(rows(values, axes))
    np.testing.assert_allclose(np.ravel(scales), expected, rtol=1e-5)
    held = nearest_steps(rows(values, axes), expected) * expected[:, None]
    got = rows(rounded_kernel(values, axes), axes)
    np.testing.assert_allclose(got, held, atol=1e-5 * np.abs(values).max())


@pytest.mark.parametrize(("shape", "axes"), KERNELS)
def test_each_channel_takes_at_most_255_values(shape, axes):
    held = rows(rounded_kernel(kernel(shape), axes), axes)
    steps = held / (np.abs(held).max(axis=1, keepdims=True) / 127)
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)


def test_every_weight_learns():
    values = kernel((3, 3, 4, 6))
    got = gradient(lambda w: fake_quantize_weights(w, (3,)), values)
    np.testing.assert_array_equal(got, np.ones_like(values))


def test_a_channel_of_zeros_stays_zero():
    values = kernel((3, 3, 4, 6))
    values[..., 2] = 0
    held = rounded_kernel(values, (3,))
    assert np.isfinite(held).all()
    np.testing.assert_array_equal(held[..., 2], 0)
    np.testing.assert_array_equal(weights_on_grid(values, (3,))[..., 2], 0)


@pytest.mark.parametrize(("shape", "axes"), [*KERNELS, ((1, 1, 900, 3), (3,))])
def test_the_converter_finds_a_grid_again(shape, axes):
    values = kernel(shape, seed=2)
    before, after = rows(values, axes), rows(weights_on_grid(values, axes), axes)
    old, new = clipped_scales(before), clipped_scales(after)
    np.testing.assert_allclose(new, old, rtol=1e-5)
    np.testing.assert_array_equal(nearest_steps(after, new), nearest_steps(before, old))


def test_without_the_lift_the_grid_would_shrink():
    values = kernel((1, 1, 900, 3))
    held = rows(rounded_kernel(values, (3,)), (3,))
    shrunk = clipped_scales(held) / clipped_scales(rows(values, (3,)))
    assert (shrunk < 0.999).any()


def test_a_wrapped_layer_computes_with_rounded_weights():
    layer = keras.layers.Conv2D(4, 3, padding="same", name="conv")
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, rounded_weights_layer()(layer)(image))
    plain = keras.layers.Conv2D(4, 3, padding="same")
    plain.build((None, 8, 8, 3))
    own, bias = layer.get_weights()
    plain.set_weights([rounded_kernel(own, (3,)), bias + 1])
    layer.set_weights([own, bias + 1])
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(model(x), plain(x), atol=1e-6)
    assert model.layers[1].name == "conv"
    assert len(model.trainable_variables) == 2


def test_layers_survive_a_file(tmp_path):
    register()
    image = keras.Input((8, 8, 3))
    x = rounded_weights_layer()(keras.layers.Conv2D(4, 3, name="conv"))(image)
    model = keras.Model(image, fake_quant_layer()(-1.5, 2.5, name="held")(x))
    with third_party():
        model.save(tmp_path / "prepared.keras")
        loaded = keras.models.load_model(tmp_path / "prepared.keras", safe_mode=True)
    layer = loaded.get_layer("held")
    assert (layer.scale, layer.zero_point) == activation_steps(-1.5, 2.5)
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
    np.testing.assert_array_equal(loaded(x), model(x))


BACKEND = """
import sys, numpy, keras
from edgeseg.converter.training.int8.rounding import fake_quantize, activation_steps
from edgeseg.converter.training.int8.layers import *
assert keras.backend.backend() == sys.argv[1]
image = keras.Input((8, 8, 3))
layer = keras.layers.Conv2D(4, 3, name="conv")
x = fake_quant_layer()(-1.0, 1.0)(image)
x = rounded_weights_layer()(layer)(x)
model = keras.Model(image, fake_quant_layer()(-1.5, 2.5)(x))
draw = numpy.random.default_rng(0)
layer.set_weights([draw.normal(size=w.shape) / 3 for w in layer.get_weights()])
x = draw.normal(size=(2, 8, 8, 3)).astype("float32")
before = model.predict(x, verbose=0)
model.compile(keras.optimizers.SGD(0.1), "mse")
model.train_on_batch(x, before + 1)
numpy.savez(sys.argv[2], before=before, kernel=layer.get_weights()[0],
            bias=layer.get_weights()[1])
"""


def trained(backend, path):
    command = [sys.executable, "-c", BACKEND, backend, str(path)]
    subprocess.run(command, check=True, env={**os.environ, "KERAS_BACKEND": backend})
    return np.load(path)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_trains_alike(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"needs {backend}, an optional backend of Keras")
    expected = trained("tensorflow", tmp_path / "tensorflow.npz")
    got = trained(backend, tmp_path / "other.npz")
    for key in ("before", "kernel", "bias"):
        np.testing.assert_allclose(got[key], expected[key], atol=1e-5)


def test_importing_them_imports_no_keras():
    code = (
        "import sys, edgeseg.converter.training.int8.training_graph\n"
        "sys.exit(len({'keras', 'tensorflow', 'jax'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
