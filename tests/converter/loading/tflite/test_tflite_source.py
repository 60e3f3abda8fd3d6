"""Networks read from TFLite files answer like the files themselves."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import keras
import tensorflow as tf

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.loading.load import load_model
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.devices import InputError, ModelError
from edgeseg.devices.litert import open_interpreter

layers = keras.layers
SIDE = 16


def lowered(model):
    with third_party():
        return tf.lite.TFLiteConverter.from_keras_model(model).convert()


def saved(content, path):
    path.write_bytes(content)
    return path


def network(*chain, colours=3):
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input(batch_shape=(1, SIDE, SIDE, colours)), *chain])


def run(path, tensor):
    """Return what the interpreter makes of a picture, as real numbers."""
    interpreter = open_interpreter(path, delegate=False)
    interpreter.allocate_tensors()
    (given,) = interpreter.get_input_details()
    scale, zero_point = given["quantization"]
    stored = tensor
    if scale:
        limits = np.iinfo(given["dtype"])
        stored = np.round(tensor / scale + zero_point).clip(limits.min, limits.max)
    interpreter.set_tensor(given["index"], stored.astype(given["dtype"]))
    interpreter.invoke()
    (made,) = interpreter.get_output_details()
    scores = interpreter.get_tensor(made["index"])
    scale, zero_point = made["quantization"]
    return (scores.astype(np.float32) - zero_point) * scale if scale else scores


def picture(colours=3):
    random = np.random.default_rng(1)
    return random.uniform(-1, 1, (1, SIDE, SIDE, colours)).astype(np.float32)


def check_alike(path, atol=1e-4):
    loaded = load_model(path)
    tensor = picture()
    with third_party():
        drawn = loaded.model.predict_on_batch(tensor)
    file = run(path, tensor)
    np.testing.assert_allclose(drawn, file.reshape(drawn.shape), atol=atol, rtol=1e-4)
    return loaded


class Function(layers.Layer):
    """A layer of TensorFlow's own functions."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, x):
        return self.function(x)


def squeezed(x):
    """A squeeze-and-excite gate, by means and products alone."""
    gate = keras.ops.sigmoid(keras.ops.mean(x, axis=(1, 2), keepdims=True))
    return x * gate


NETWORKS = {
    "dilated": lambda: [layers.Conv2D(4, 3, dilation_rate=2, padding="same")],
    "strided": lambda: [layers.Conv2D(4, 3, strides=2, activation="relu6")],
    "grouped": lambda: [layers.Conv2D(6, 3), layers.Conv2D(4, 3, groups=2)],
    "depthwise": lambda: [layers.DepthwiseConv2D(3, depth_multiplier=2, strides=2)],
    "transposed": lambda: [
        layers.Conv2DTranspose(4, 4, strides=2, padding="same"),
        layers.Conv2DTranspose(2, 3, strides=2, padding="valid"),
    ],
    "padded": lambda: [
        layers.ZeroPadding2D(1),
        layers.Conv2D(4, 3, activation="relu"),
        layers.ZeroPadding2D(((0, 1), (0, 1))),
        layers.DepthwiseConv2D(3, strides=2),
        layers.ZeroPadding2D(1),
        layers.Conv2D(3, 3, strides=2),
    ],
    "pools": lambda: [
        layers.MaxPooling2D(2),
        layers.AveragePooling2D(3, strides=1, padding="same"),
    ],
    "resizes": lambda: [
        Function(lambda x: tf.compat.v1.image.resize_bilinear(x, (9, 7), True)),
        layers.Resizing(20, 20),
        layers.UpSampling2D(2),
        Function(
            lambda x: tf.compat.v1.image.resize_nearest_neighbor(
                x, (13, 17), half_pixel_centers=True
            )
        ),
    ],
    "activations": lambda: [
        layers.Conv2D(4, 1, activation="hard_silu"),
        layers.PReLU(shared_axes=[1, 2], alpha_initializer="random_normal"),
        layers.LeakyReLU(0.3),
        layers.Conv2D(4, 1, activation="elu"),
        layers.Conv2D(4, 1, activation="tanh"),
        layers.Conv2D(4, 1, activation="silu"),
        layers.Conv2D(4, 1, activation="gelu"),
        layers.Conv2D(4, 1, activation="softmax"),
    ],
    "arithmetic": lambda: [
        Function(lambda x: (x * [1.0, 2.0, 3.0] - 0.5) / 3.0 + [0.1, 0.2, 0.3]),
        Function(lambda x: tf.maximum(tf.minimum(x, 0.9), tf.abs(x) * 0.5)),
        Function(squeezed),
    ],
    "norms": lambda: [
        layers.LayerNormalization(),
        layers.Conv2D(4, 1),
        layers.BatchNormalization(),
    ],
    "shapes": lambda: [
        Function(lambda x: tf.concat([x[:, 2:, ::2], x[:, :-2, 1::2]], -1)),
        Function(lambda x: tf.reshape(x, (1, -1, 6))),
        Function(lambda x: tf.reshape(tf.transpose(x, [0, 2, 1]), (1, 14, 8, 6))),
        Function(lambda x: tf.concat(tf.split(x, 2, axis=-1)[::-1], -1)),
        Function(lambda x: tf.pad(x, [[0, 0], [1, 2], [2, 1], [0, 0]], "REFLECT")),
    ],
    "attention": lambda: [
        Function(lambda x: tf.reshape(x, (1, SIDE * SIDE, 3))),
        Function(lambda x: tf.matmul(tf.nn.softmax(tf.matmul(x, x, False, True)), x)),
        layers.Dense(5),
        Function(lambda x: tf.reshape(x, (1, SIDE, SIDE, 5))),
    ],
    "blocks": lambda: [
        Function(lambda x: tf.nn.space_to_depth(x, 2)),
        layers.Conv2D(8, 1),
        Function(lambda x: tf.nn.depth_to_space(x, 2)),
    ],
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_float_file_is_read_as_it_is(name, tmp_path):
    path = saved(lowered(network(*NETWORKS[name]())), tmp_path / "model.tflite")
    loaded = check_alike(path)
    assert loaded.original.exact


def test_padding_becomes_the_convolution_s_own(tmp_path):
    path = saved(lowered(network(*NETWORKS["padded"]())), tmp_path / "model.tflite")
    kinds = [type(layer).__name__ for layer in load_model(path).model.layers]
    # at a stride of 2, one row above and below is another padding than SAME
    assert kinds.count("ZeroPadding2D") == 1


def test_half_precision_weights_are_read(tmp_path):
    model = network(layers.Conv2D(4, 3), layers.Conv2D(3, 1))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    with third_party():
        content = converter.convert()
    assert "float16" in {FlatModel(content).dtype(i) for i in range(4)}
    check_alike(saved(content, tmp_path / "model.tflite"))


def in_blocks(content):
    """Write the last convolution as TensorFlow 1 wrote dilated ones."""
    flat = FlatModel(content)
    schema = need("ai_edge_litert.schema_py_generated")
    last = flat.graph.operators[-1]
    source, output = int(last.inputs[0]), int(last.outputs[0])
    rate = last.builtinOptions.dilationHFactor
    _, high, _wide, deep = flat.shape(source)
    more = -(high + 2 * rate) % rate
    block = flat.add_constant("block", np.array([rate, rate], np.int32))
    pads = np.array([[rate, rate + more]] * 2, np.int32)
    crops = np.array([[0, more]] * 2, np.int32)
    cells = (high + 2 * rate + more) // rate
    first = flat.add_tensor("first", (rate**2, cells, cells, deep), "float32")
    out = flat.shape(output)[-1]
    second = flat.add_tensor("second", (rate**2, cells - 2, cells - 2, out), "float32")
    last.inputs = [first, *map(int, last.inputs[1:])]
    last.outputs = [second]
    last.builtinOptions.dilationHFactor = last.builtinOptions.dilationWFactor = 1
    last.builtinOptions.padding = schema.Padding.VALID
    options = schema.SpaceToBatchNDOptionsT(), schema.BatchToSpaceNDOptionsT()
    before = flat.operator(
        "SPACE_TO_BATCH_ND",
        [source, block, flat.add_constant("pads", pads)],
        [first],
        options[0],
    )
    behind = flat.operator(
        "BATCH_TO_SPACE_ND",
        [second, block, flat.add_constant("crops", crops)],
        [output],
        options[1],
    )
    flat.graph.operators = [*flat.graph.operators[:-1], before, last, behind]
    return flat.to_bytes()


@pytest.mark.parametrize("rate", [2, 3])
def test_a_convolution_in_blocks_is_a_dilated_one(rate, tmp_path):
    chain = layers.Conv2D(4, 3, dilation_rate=rate, padding="same")
    content = in_blocks(lowered(network(layers.Conv2D(5, 1), chain)))
    loaded = check_alike(saved(content, tmp_path / "model.tflite"))
    assert loaded.model.layers[-1].dilation_rate == (rate, rate)


def quantized(model, dtype=tf.uint8, per_channel=True):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    random = np.random.default_rng(2)
    shape = (1, SIDE, SIDE, 3)
    converter.representative_dataset = lambda: (
        [random.uniform(-1, 1, shape).astype(np.float32)] for _ in range(8)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = dtype
    converter._experimental_disable_per_channel = not per_channel
    with third_party():
        return converter.convert()


def small():
    return network(
        layers.Conv2D(8, 3, activation="relu6", padding="same", strides=2),
        layers.DepthwiseConv2D(3, activation="relu", padding="same"),
        layers.Conv2D(5, 1),
        layers.Resizing(SIDE, SIDE),
    )


@pytest.mark.parametrize("per_channel", [True, False])
def test_integers_are_read_as_what_they_stand_for(per_channel, tmp_path):
    model = small()
    content = quantized(model, per_channel=per_channel)
    path = saved(content, tmp_path / "model.tflite")
    loaded = load_model(path)
    assert not loaded.original.exact
    # as far as 8-bit weights carry the float ones
    with third_party():
        drawn = loaded.model.predict_on_batch(picture())
        meant = model.predict_on_batch(picture())
    assert np.abs(drawn - meant).max() < 0.05 * np.abs(meant).max()
    # pixels are stored as they are: the input's step is the normalization
    interpreter = open_interpreter(path, delegate=False)
    scale, zero_point = interpreter.get_input_details()[0]["quantization"]
    np.testing.assert_allclose(loaded.manifest.std, [1 / scale] * 3)
    np.testing.assert_allclose(loaded.manifest.mean, [zero_point] * 3)


def test_integer_weights_alone_round_too(tmp_path):
    model = network(layers.Conv2D(32, 3), layers.Conv2D(64, 3), layers.Conv2D(5, 1))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    with third_party():
        content = converter.convert()
    loaded = load_model(saved(content, tmp_path / "dynamic.tflite"))
    assert not loaded.original.exact


def test_activations_that_only_the_ranges_say_are_kept(tmp_path):
    flat = FlatModel(quantized(small(), tf.int8))
    whole = load_model(saved(flat.to_bytes(), tmp_path / "whole.tflite")).model
    dropped = 0
    for operator in flat.graph.operators:
        options = operator.builtinOptions
        if getattr(options, "fusedActivationFunction", 0):
            options.fusedActivationFunction = 0
            dropped += 1
    assert dropped == 2
    bare = load_model(saved(flat.to_bytes(), tmp_path / "bare.tflite")).model
    with third_party():
        expected, got = (m.predict_on_batch(picture()) for m in (whole, bare))
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_class_ids_are_read_as_their_scores(tmp_path):
    model = network(layers.Conv2D(5, 1), Function(lambda x: tf.argmax(x, -1, tf.int32)))
    path = saved(lowered(model), tmp_path / "model.tflite")
    loaded = load_model(path)
    with third_party():
        scores = loaded.model.predict_on_batch(picture())
    np.testing.assert_array_equal(scores.argmax(-1), run(path, picture()))
    assert "ARG_MAX" in " ".join(loaded.notes)


def test_channels_first_is_turned(tmp_path):
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(1, 3, SIDE, SIDE)),
            layers.Permute((2, 3, 1)),
            layers.Conv2D(5, 3, padding="same"),
            layers.Permute((3, 1, 2)),
        ]
    )
    path = saved(lowered(model), tmp_path / "model.tflite")
    loaded = load_model(path)
    with third_party():
        drawn = loaded.model.predict_on_batch(picture())
    file = run(path, picture().transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(drawn, file, atol=1e-5)


def test_another_size_is_drawn_or_refused(tmp_path):
    path = saved(lowered(small()), tmp_path / "model.tflite")
    assert load_model(path, Loading(size=(32, 48))).model.output.shape[1:3] == (32, 48)
    fixed = saved(lowered(network(*NETWORKS["attention"]())), tmp_path / "fixed.tflite")
    with pytest.raises(InputError, match="leave out --size"):
        load_model(fixed, Loading(size=(32, 32)))


def test_unknown_operators_are_named(tmp_path):
    turn = Function(lambda x: tf.reverse(x, [1]))
    path = saved(lowered(network(turn)), tmp_path / "model.tflite")
    with pytest.raises(ModelError, match="cannot be converted: REVERSE_V2"):
        load_model(path)


def test_custom_operators_are_named(tmp_path):
    flat = FlatModel(lowered(network(layers.Conv2D(3, 1), layers.Softmax())))
    operator = flat.graph.operators[-1]
    schema = need("ai_edge_litert.schema_py_generated")
    code = flat.model.operatorCodes[operator.opcodeIndex]
    code.builtinCode = schema.BuiltinOperator.CUSTOM
    code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    operator.builtinOptions, operator.builtinOptionsType = None, 0
    for name, message in (
        (b"Convolution2DTransposeBias", "converted: Convolution2DTransposeBias"),
        (b"edgetpu-custom-op", "without _edgetpu"),
    ):
        code.customCode = name
        path = saved(flat.to_bytes(), tmp_path / "model.tflite")
        with pytest.raises(ModelError, match=message):
            load_model(path)


def test_several_pictures_at_once_are_refused(tmp_path):
    model = keras.Sequential(
        [keras.Input(batch_shape=(2, SIDE, SIDE, 3)), layers.Conv2D(3, 1)]
    )
    path = saved(lowered(model), tmp_path / "model.tflite")
    with pytest.raises(ModelError, match="2 pictures at once"):
        load_model(path)
