"""The resize layer: TensorFlow's numbers on every backend, one TFLite operator."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import keras
import tensorflow as tf

from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.networks.resizing import (
    ALIGNMENTS,
    bilinear_resize_layer,
    interpolate,
    neighbours,
    register,
    resize_to,
)
from edgeseg.devices import InputError
from edgeseg.devices.litert import open_interpreter
from edgeseg.runtime.model.inspection import read_graph

SIZES = [((5, 9), (17, 33)), ((8, 6), (32, 24)), ((1, 1), (7, 4)), ((9, 7), (5, 3))]


def scores(hw):
    return np.random.default_rng(3).normal(size=(2, *hw, 3)).astype(np.float32)


def resized(x, size, alignment):
    corners, half = ALIGNMENTS[alignment]
    layer = bilinear_resize_layer()(*size, corners, half)
    return keras.ops.convert_to_numpy(layer(x))


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize(("old", "new"), SIZES)
def test_every_backend_computes_what_tensorflow_does(old, new, alignment):
    x = scores(old)
    generic = interpolate(keras.ops.convert_to_tensor(x), new, *ALIGNMENTS[alignment])
    np.testing.assert_allclose(generic, resized(x, new, alignment), atol=2e-6)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_a_single_cell_is_broadcast(alignment):
    x = scores((1, 1))
    expected = np.broadcast_to(x, (2, 7, 4, 3))
    np.testing.assert_allclose(resized(x, (7, 4), alignment), expected, rtol=1e-6)


def test_corners_stay_on_corners():
    x = scores((3, 5))
    out = resized(x, (9, 17), "align-corners")
    np.testing.assert_allclose(out[:, ::4, ::4], x, rtol=1e-6)


def test_positions_of_each_alignment():
    position = {
        name: np.add(*neighbours(2, 4, *flags)[::2])
        for name, flags in ALIGNMENTS.items()
    }
    np.testing.assert_allclose(position["align-corners"], [0, 1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(position["half-pixel"], [0, 0.25, 0.75, 1])
    np.testing.assert_allclose(position["legacy"], [0, 0.5, 1, 1])


BACKEND = """
import sys, numpy, keras
from edgeseg.converter.networks.resizing import bilinear_resize_layer
assert keras.backend.backend() == sys.argv[1]
x = numpy.random.default_rng(3).normal(size=(2, 5, 9, 3)).astype("float32")
y = bilinear_resize_layer()(17, 33)(x)
numpy.save(sys.argv[2], keras.ops.convert_to_numpy(y))
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_in_a_process_of_its_own(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"needs {backend}, an optional backend of Keras")
    out = tmp_path / "y.npy"
    command = [sys.executable, "-c", BACKEND, backend, str(out)]
    subprocess.run(command, check=True, env={**os.environ, "KERAS_BACKEND": backend})
    expected = resized(scores((5, 9)), (17, 33), "align-corners")
    np.testing.assert_allclose(np.load(out), expected, atol=2e-6)


def drawn(alignment):
    image = keras.Input(batch_shape=(1, 9, 5, 3), name="image")
    return keras.Model(image, resize_to(image, (33, 17), alignment, name="resize"))


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_it_lowers_to_one_operator_with_the_same_numbers(alignment):
    model = drawn(alignment)
    lowered = lower(model)
    assert read_graph(lowered).operators == {"RESIZE_BILINEAR": 1}
    interpreter = open_interpreter(lowered)
    interpreter.allocate_tensors()
    x = scores((9, 5))[:1]
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    got = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(got, resized(x, (33, 17), alignment), atol=2e-6)


def test_a_keras_file_that_holds_it_loads_in_safe_mode(tmp_path):
    model = drawn("legacy")
    model.save(tmp_path / "resize.keras")
    register()
    loaded = keras.models.load_model(tmp_path / "resize.keras", safe_mode=True)
    layer = loaded.get_layer("resize")
    assert type(layer) is bilinear_resize_layer()
    assert layer.get_config() == model.get_layer("resize").get_config()
    assert (layer.align_corners, layer.half_pixel_centers) == (False, False)
    x = scores((9, 5))[:1]
    np.testing.assert_array_equal(loaded(x), model(x))


def test_half_precision_stays_half_precision():
    out = bilinear_resize_layer()(4, 4, dtype="float16")(tf.ones((1, 2, 2, 1)))
    assert out.dtype == tf.float16


def test_wrong_alignments_are_refused():
    with pytest.raises(InputError, match="exclude each other"):
        bilinear_resize_layer()(4, 4, align_corners=True, half_pixel_centers=True)
    with pytest.raises(InputError, match=r"one of align-corners.*got 'nearest'"):
        drawn("nearest")


def test_importing_it_imports_no_keras():
    heavy = "{'keras', 'tensorflow', 'h5py', 'numpy'}"
    code = (
        "import sys, edgeseg.converter.networks.resizing\n"
        "import edgeseg.converter.backbones.xception\n"
        "import edgeseg.converter.networks.deeplab\n"
        f"sys.exit(len({heavy} - {{'numpy'}} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
