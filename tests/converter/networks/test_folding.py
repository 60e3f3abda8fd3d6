"""Batch norms folded into convolutions: the same numbers, fewer layers."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import keras
from networks import fcn8s, segnet, settle, unet
from networks import medley as medley_of_keras_2

from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.frameworks import third_party
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.loading.load import load_model
from edgeseg.converter.networks.folding import fold, fold_for_inference
from edgeseg.converter.networks.graph import LayerGraph
from edgeseg.devices import ModelError
from edgeseg.runtime.model.inspection import read_graph

layers = keras.layers

RELEASES = (
    "deeplabv3_mobilenetv2_dm05_voc_os8_257",
    "deeplabv3plus_mobilenetv2_ade20k32_os16_513",
)


def medley(keras):
    with third_party():  # its words are those of Keras 2
        return medley_of_keras_2(keras)


def pictures(model, count=1, seed=5):
    shape = (count, *model.inputs[0].shape[1:])
    draw = np.random.default_rng(seed)
    return draw.uniform(-1, 1, shape).astype(np.float32)


def scores(model, tensor):
    with third_party():
        return np.asarray(model(tensor, training=False))


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


def assert_same(folded, model, *, rtol=1e-5):
    tensor = pictures(model)
    expected = scores(model, tensor)
    largest = np.abs(expected).max()
    np.testing.assert_allclose(scores(folded, tensor), expected, atol=rtol * largest)


@pytest.mark.long
@pytest.mark.parametrize("name", RELEASES)
def test_real_weights_keep_their_scores(name, shared):
    path = shared / "models" / "keras" / f"{name}_release.h5"
    model = load_model(path, Loading(size=(65, 65))).model
    folded = fold(model)
    assert "BatchNormalization" in kinds(model)
    assert "BatchNormalization" not in kinds(folded)
    names = {layer.name for layer in model.layers}
    kept = {name for name in names if not name.endswith("_BN")}
    assert {layer.name for layer in folded.layers} == kept
    assert_same(folded, model)


@pytest.mark.parametrize("build", [unet, fcn8s, segnet, medley])
def test_other_networks_keep_their_scores(build):
    model = build(keras)
    folded = fold(model)
    assert "BatchNormalization" not in kinds(folded)
    assert folded.inputs[0].shape == model.inputs[0].shape
    assert_same(folded, model)


def test_a_model_of_batch_one_stays_one():
    image = keras.Input(batch_shape=(1, 16, 16, 3))
    x = layers.Conv2D(4, 3, use_bias=False)(image)
    model = settle(keras.Model(image, layers.BatchNormalization()(x)))
    folded = fold(model)
    assert folded.inputs[0].shape == (1, 16, 16, 3)
    assert kinds(folded) == ["InputLayer", "Conv2D"]
    assert_same(folded, model)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(6, 3, groups=3, strides=2, padding="same"),
        layers.Conv2D(5, 3, use_bias=False, dilation_rate=2),
        layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
        layers.Conv2DTranspose(5, 4, strides=2, padding="same"),
        layers.SeparableConv2D(5, 3, strides=2, depth_multiplier=2, padding="same"),
        layers.SeparableConv2D(5, 3, use_bias=False, dilation_rate=2),
    ],
    ids=lambda layer: layer.name,
)
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}])
def test_every_kind_of_convolution(layer, options):
    image = keras.Input((12, 12, 3))
    layer = type(layer).from_config(layer.get_config())
    norm = layers.BatchNormalization(epsilon=0.01, **options)
    model = settle(keras.Model(image, norm(layer(image))))
    folded = fold(model)
    assert "BatchNormalization" not in kinds(folded)
    assert_same(folded, model)


def unfoldable():
    image = keras.Input((12, 12, 3))
    first = layers.Conv2D(4, 3, padding="same", name="read_twice")(image)
    x = layers.BatchNormalization(name="after_one_reader_of_two")(first)
    x = layers.Add()([x, first])
    x = layers.BatchNormalization(name="after_a_sum")(x)
    x = layers.Conv2D(4, 3, activation="relu", name="with_relu")(x)
    x = layers.BatchNormalization(name="after_a_relu")(x)
    shared = layers.Conv2D(4, 1, name="called_twice")
    x = layers.BatchNormalization(name="after_a_shared_one")(shared(shared(x)))
    x = layers.Conv2D(4, 3, name="of_rows")(x)
    x = layers.BatchNormalization(axis=1, name="over_rows")(x)
    return settle(keras.Model(image, x))


def test_norms_that_cannot_go_stay():
    model = unfoldable()
    folded = fold(model)
    assert {la.name for la in folded.layers} == {la.name for la in model.layers}
    assert_same(folded, model)


def test_the_model_stays_as_it_was_and_shares_nothing():
    model = unet(keras)
    before = [w.copy() for w in model.get_weights()]
    names = [layer.name for layer in model.layers]
    folded = fold(model)
    folded.set_weights([w + 1 for w in folded.get_weights()])
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert [layer.name for layer in model.layers] == names
    assert model.layers[1].output is not None  # still called once only


def test_what_is_frozen_stays_frozen():
    model = unet(keras)
    model.layers[1].trainable = False
    folded = fold(model)
    frozen = [layer.name for layer in folded.layers if not layer.trainable]
    assert frozen == [model.layers[1].name]


@pytest.mark.long
@pytest.mark.parametrize("build", [fcn8s, medley])
def test_it_lowers_to_the_same_operators(build):
    model = keras.models.clone_model(
        build(keras), input_tensors=keras.Input(batch_shape=(1, 64, 64, 3))
    )
    settle(model)
    expected, got = (
        read_graph(lower(m, fold=False)).operators for m in (model, fold(model))
    )
    assert got == expected


def of_batch_one(model):
    shape = (1, *model.inputs[0].shape[1:])
    with third_party():
        copy = keras.models.clone_model(
            model, input_tensors=keras.Input(batch_shape=shape)
        )
        copy.set_weights(model.get_weights())
    return copy


@pytest.mark.long
@pytest.mark.parametrize("build", [unet, fcn8s, segnet, medley, lambda _: unfoldable()])
def test_for_inference_every_norm_goes(build):
    model = of_batch_one(build(keras))
    before = [layer.name for layer in model.layers]
    folded = fold_for_inference(model)
    norms = [la.name for la in folded.layers if "BatchNorm" in type(la).__name__]
    assert norms in ([], ["over_rows"])
    assert_same(folded, model)
    assert [layer.name for layer in model.layers] == before
    assert_same(model, model)
    expected, got = (
        read_graph(lower(m, fold=False)).operators for m in (model, folded)
    )
    assert got == expected


def test_for_inference_the_factor_is_exactly_rounded():
    image = keras.Input(batch_shape=(1, 8, 8, 3))
    x = layers.Conv2D(6, 1, use_bias=False, name="conv")(image)
    model = keras.Model(image, layers.BatchNormalization(epsilon=1e-3)(x))
    draw = np.random.default_rng(2)
    kernel = draw.normal(size=(1, 1, 3, 6)).astype(np.float32)
    gamma, beta, mean, variance = draw.uniform(0.5, 2, (4, 6)).astype(np.float32)
    variance[0] = np.float32(1) - np.float32(1e-3)  # approximate roots of 1 differ here
    model.set_weights([kernel, gamma, beta, mean, variance])
    conv = fold_for_inference(model).layers[-1]
    wide = [values.astype(np.float64) for values in (gamma, beta, mean, variance)]
    factor = wide[0] / np.sqrt(wide[3] + 1e-3)
    expected = (kernel.astype(np.float64) * factor).astype(np.float32)
    got = conv.get_weights()
    np.testing.assert_array_equal(got[0], expected)
    np.testing.assert_array_equal(got[1], (wide[1] - wide[2] * factor).astype("f4"))


def test_for_inference_what_has_no_norms_or_is_code_stays_itself():
    image = keras.Input((8, 8, 3))
    plain = keras.Model(image, layers.Conv2D(2, 1)(image))
    for model in (plain, Code()):
        assert fold_for_inference(model) is model
    inside = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(2, 1), layers.BatchNormalization()]
    )
    outside = keras.Model(image, layers.BatchNormalization()(inside(image)))
    assert fold_for_inference(outside) is outside


@pytest.mark.long
@pytest.mark.parametrize("laid_flat", [False, True])
def test_a_folded_file_loads(laid_flat, shapes_keras, tmp_path):
    loading = Loading(size=(64, 96) if laid_flat else None)
    model = load_model(shapes_keras, loading).model
    with third_party():
        fold(model).save(tmp_path / "folded.keras")
    folded = load_model(tmp_path / "folded.keras").model
    assert "BatchNormalization" not in kinds(folded)
    made = [type(operation).__name__ for operation in fold(model).operations]
    assert "ConvertToTensor" not in made
    assert_same(folded, model)


def nested():
    image = keras.Input((8, 8, 3))
    inner = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(2, 1)], name="in")
    return keras.Model(image, inner(image))


def two_outputs():
    image = keras.Input((8, 8, 3))
    return keras.Model(image, [layers.Conv2D(2, 1)(image), layers.ReLU()(image)])


class Code(keras.Model):
    def call(self, x):
        return x


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (nested, "expected a flat model, got one that holds the model 'in'"),
        (two_outputs, "one input and one output, got 1 and 2"),
        (Code, "expected a functional Keras model, got Code"),
    ],
)
def test_other_models_are_refused(build, message):
    with pytest.raises(ModelError, match=message):
        fold(build())


def test_operations_without_a_layer_are_kept():
    image = keras.Input((8, 8, 3))
    x = layers.BatchNormalization()(layers.Conv2D(3, 1)(image))
    model = settle(keras.Model(image, keras.ops.add(x, image) * 2.0))
    folded = fold(model)
    assert "BatchNormalization" not in kinds(folded)
    assert_same(folded, model)


def test_readers_and_makers():
    graph = LayerGraph.of(unfoldable())
    first = graph.calls[0]
    assert len(graph.readers(first.output)) == 2
    assert graph.only_reader(first.output) is None
    assert graph.maker(first.output) is first
    assert graph.maker(graph.start) is None
    assert graph.only_reader(graph.end) is None
    assert graph.times_called("called_twice") == 2


def test_a_norm_after_a_sum_takes_no_name_of_the_model_s_layers():
    keras.backend.clear_session()
    image = keras.Input(batch_shape=(1, 8, 8, 3))
    x = keras.layers.Add(name="add")([image, image])
    x = keras.layers.BatchNormalization(name="norm")(x)
    model = keras.Model(image, keras.layers.Multiply(name="multiply")([x, x]))
    folded = fold_for_inference(model)
    pixels = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype("float32")
    np.testing.assert_allclose(folded(pixels), model(pixels), atol=1e-5)
