"""Tensor names that come from layers, whatever TensorFlow calls the tensors."""

from __future__ import annotations

import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import keras
from networks import medley, unet

from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.conversion.tensor_names import name_by_layer
from edgeseg.converter.frameworks import third_party
from edgeseg.converter.quantization.flatbuffer import FlatModel

LAYERS = ("conv", "conv_1", "relu_of_it")


def named(*names, model=None):
    """Return the names of operator outputs after renaming them to `names` first."""
    flat = FlatModel(model)
    for operator, name in zip(flat.graph.operators, names, strict=True):
        flat.tensor(int(operator.outputs[0])).name = name.encode()
    again = FlatModel(name_by_layer(flat.to_bytes(), LAYERS))
    return [again.name(int(o.outputs[0])) for o in again.graph.operators]


@pytest.fixture(scope="module")
def two_operators():
    layers = keras.layers
    image = keras.Input(batch_shape=(1, 8, 8, 3), name="photo")
    x = layers.Conv2D(4, 3, name="conv")(image)
    x = layers.Conv2D(4, 3, activation="sigmoid", name="conv_1")(x)
    with third_party():
        return lower(keras.Model(image, x))


def test_input_outputs_and_constants_are_named_by_layer(two_operators):
    flat = FlatModel(two_operators)
    assert flat.name(int(flat.graph.inputs[0])) == "photo"
    first = flat.graph.operators[0]
    assert [flat.name(int(t)) for t in first.inputs] == [
        "photo",
        "conv/weights",
        "conv/bias",
    ]
    assert flat.name(int(first.outputs[0])) == "conv"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("net_1/conv_1_1/Conv2D;net_1/conv_1/BiasAdd", "conv_1"),
        ("net/conv_1_7/Conv2D", "conv_1"),
        ("net_1/conv_1/Conv2D", "conv"),
        ("net/relu_of_it_2/Relu6;net/conv_1/BiasAdd;net/conv_1/Squeeze1", "relu_of_it"),
        ("StatefulPartitionedCall:0", "conv_2d"),
        ("", "conv_2d"),
        ("conv_1", "conv"),
    ],
)
def test_the_first_part_tells_the_layer(given, expected, two_operators):
    rest = ("net/relu_of_it_1/Relu", "net/conv_1_1/BiasAdd")  # all with counters
    assert named(given, *rest, model=two_operators)[0] == expected


def test_without_counters_a_number_is_the_layers_own(two_operators):
    given = ("net/conv/Conv2D", "net/conv_1/Conv2D", "net/relu_of_it/Relu")
    assert named(*given, model=two_operators) == ["conv", "conv_1", "relu_of_it"]


def test_names_are_given_once(two_operators):
    same = "net/conv/Conv2D"
    assert named(same, same, same, model=two_operators) == ["conv", "conv:1", "conv:2"]


@pytest.mark.parametrize("build", [unet, medley])
def test_tails_counters_and_versions_leave_the_file_as_it_is(build):
    shape = (1, 64, 64, 3)
    with third_party():
        model = keras.models.clone_model(
            build(keras), input_tensors=keras.Input(batch_shape=shape)
        )
    layers = [operation.name for operation in model.operations]
    content = lower(model, fold=False)
    flat = FlatModel(content)
    for index in range(len(flat.graph.tensors)):
        first, _, _ = flat.name(index).partition(";")
        flat.tensor(index).name = f"{first};merged/with_7/another".encode()
    _turn_around(flat)
    for entry in flat.model.metadata:
        if entry.name == b"CONVERSION_METADATA":
            flat.model.buffers[entry.buffer].data[-8:] += 1
    assert flat.to_bytes() != content
    assert name_by_layer(flat.to_bytes(), layers) == name_by_layer(content, layers)


def _turn_around(flat):
    """Number tensors from the last to the first."""
    last = len(flat.graph.tensors) - 1
    flat.graph.tensors.reverse()
    for user in (flat.graph, *flat.graph.operators):
        user.inputs = [last - i if i >= 0 else i for i in map(int, user.inputs)]
        user.outputs = [last - i for i in map(int, user.outputs)]
    for signature in flat.model.signatureDefs:
        for entry in (*signature.inputs, *signature.outputs):
            entry.tensorIndex = last - entry.tensorIndex


def test_empty_buffers_may_be_numbered_as_one_likes(two_operators):
    flat = FlatModel(two_operators)
    # as older readers number them: one empty buffer for each activation
    for operator in flat.graph.operators:
        flat.model.buffers.insert(1, type(flat.model.buffers[0])())
        for tensor in flat.graph.tensors:
            tensor.buffer += tensor.buffer > 0
        for entry in flat.model.metadata:
            entry.buffer += entry.buffer > 0
        flat.tensor(int(operator.outputs[0])).buffer = 1
    assert flat.to_bytes() == two_operators
