"""A damaged file is refused by one line that names the tensor or operator."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert.tools", reason="draws graphs")

from graphs import Drawing, convolution
from hostile.flatbuffers import mutations

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.devices import ModelError
from edgeseg.devices.tflite_file.examination import examine
from edgeseg.runtime.shipped import model_file

INT8, FLOAT32 = 9, 0  # of the schema
SHIPPED = model_file().read_bytes()
# the flatbuffer ends where the archive with the manifest begins
END = SHIPPED.rindex(b"PK\x03\x04", 0, SHIPPED.index(b"edgeseg.json"))


def network(damage=lambda flat: None):
    draw = Drawing()
    image = draw.image((1, 8, 8, 3), (0.5, 0))
    kernel, bias = np.ones((4, 3, 3, 3)), np.zeros(4)
    result = convolution(draw, image, kernel, bias, (1, 4, 4, 4), stride=2)
    flat = FlatModel(draw.content(result))
    flat.tensor(result).type = INT8
    damage(flat)
    return flat.to_bytes()


def set_scale(value):
    def damage(flat):
        flat.tensor(0).quantization.scale = np.array([value], np.float32)

    return damage


def set_zero_point(flat):
    flat.tensor(0).quantization.zeroPoint = np.array([100_000], np.int64)


def set_shape(index, shape):
    def damage(flat):
        flat.tensor(index).shape = np.array(shape, np.int32)

    return damage


def set_stride(flat):
    flat.graph.operators[0].builtinOptions.strideH = 0


def set_inputs(*indices):
    def damage(flat):
        flat.graph.operators[0].inputs = np.array(indices, np.int32)

    return damage


def set_outputs(*indices):
    def damage(flat):
        flat.graph.operators[0].outputs = np.array(indices, np.int32)

    return damage


def set_model_input(flat):
    flat.graph.inputs = np.array([-1], np.int32)


def set_name(flat):
    flat.tensor(0).name = b"\xff\xfe"


def test_good_files_pass(golden_model):
    for content in (SHIPPED, SHIPPED[:END], golden_model.read_bytes()):
        examine(content, "model")


def test_real_files_pass(shared):
    models = sorted((shared / "models" / "tflite").glob("*/*.tflite"))
    assert models
    for path in models:
        examine(path.read_bytes(), path.name)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (set_scale(1e-45), "tensor 0 .*scale"),
        (set_scale(-1), "tensor 0 .*scale is -1"),
        (set_scale(float("nan")), "tensor 0 .*scale is nan"),
        (set_scale(float("inf")), "tensor 0 .*scale is inf"),
        (set_zero_point, "tensor 0 .*zero point 100000 is no int8"),
        (set_shape(0, (1, 8, 8, 5)), "operator 0 CONV_2D: .*5 channels"),
        (set_shape(0, (1, -8, 8, 3)), "tensor 0 .*side below 1"),
        (set_shape(0, (1, 65536, 65536, 3)), "tensor 0 .*2 GiB"),
        (set_shape(1, (4, 3, 3, 4)), "tensor 1 .*bytes"),
        (set_shape(3, (1, 8, 8, 4)), "operator 0 CONV_2D: it gives"),
        (set_stride, "strideH is 0"),
        (set_inputs(-1, 1, 2), "its input 0 is tensor -1"),
        (set_inputs(0, 1, 77), "tensor 77"),
        (set_inputs(0), "reads 1 tensors"),
        (set_inputs(3, 1, 2), "nothing has written"),
        (set_outputs(1), "is a constant"),
        (set_outputs(), "written by no operator"),
        (set_model_input, "input is tensor -1"),
        (set_name, "name is not UTF-8"),
    ],
)
def test_what_is_wrong_is_named(damage, words):
    examine(network(), "good")
    with pytest.raises(ModelError, match=words) as caught:
        examine(network(damage), "bad.tflite")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("bad.tflite ")


@pytest.mark.parametrize("size", [0, 3, 8, 100, 5_000, END // 2, END - 1000])
def test_a_file_that_was_cut_is_refused(size):
    with pytest.raises(ModelError):
        examine(SHIPPED[:size], "cut")


def test_damage_is_nothing_but_a_model_error(golden_model):
    refused = 0
    for name, damaged in mutations(golden_model.read_bytes(), seed=5, count=400):
        try:
            examine(damaged, "model")
        except ModelError as error:  # anything else fails the test
            refused += 1
            lines = str(error).splitlines()
            if len(lines) != 1:
                pytest.fail(f"{name}: {lines}")
    assert refused > 100


def test_a_float_tensor_may_keep_a_scale():
    def as_float(flat):
        for tensor in (0, 3):
            flat.tensor(tensor).type = FLOAT32
        set_scale(float("nan"))(flat)

    examine(network(as_float), "float with a scale")
