"""Networks that are no DeepLab, all the way to int8 that answers like float."""

from __future__ import annotations

import dataclasses
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import keras
import networks
from graphs import quantized, real, run

from edgeseg.converter.calibration.calibrate import CalibrationTensors
from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.conversion.keras_device import segmenter_of
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.loading.load import load_model
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.heads import apply_head, join_argmax
from edgeseg.converter.quantization.kernels import tie_ranges
from edgeseg.converter.quantization.quantize import Quantization
from edgeseg.converter.quantization.ranges import measure
from edgeseg.converter.recipes import load_recipe, recipe_names
from edgeseg.runtime import Segmenter
from edgeseg.runtime.model.embedded import append_manifest
from edgeseg.runtime.model.inspection import read_graph
from edgeseg.runtime.sources.synthetic import SyntheticSource

pytestmark = pytest.mark.long  # converts or trains real networks

SIZE = (48, 48)
layers = keras.layers


def odd_network(keras, size=SIZE, *, head="softmax", classes=5):
    """Return one of everything that rounding and quantizing treat apart."""
    image = keras.Input((*size, 3))
    twice = layers.Conv2D(8, 3, padding="same")  # its weights serve two places
    x = layers.Conv2D(8, 3, padding="same", use_bias=False)(image)
    x = twice(twice(x))
    x = layers.Conv2D(8, 3, padding="same", groups=2, activation="relu")(x)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(x)
    x = layers.DepthwiseConv2D(3, dilation_rate=2, padding="same")(x)
    x = layers.Conv2D(8, 3, dilation_rate=2, padding="same")(layers.ReLU(6.0)(x))
    x = layers.Conv2D(48, 3, strides=2)(layers.ZeroPadding2D(1)(x))
    x = layers.Conv2D(8, 11, padding="same")(x)  # a window of 5808: no second moments
    x = layers.SeparableConv2D(8, 3, padding="same", use_bias=False)(x)
    x = layers.Conv2DTranspose(8, 3, strides=2, padding="same", use_bias=False)(x)
    x = layers.Concatenate()([x, image])  # or all pixels are alike by now
    scores = layers.Conv2D(classes, 1, activation=head)(x)
    return networks.settle(keras.Model(image, scores, name="odd"))


def resized_network(keras, size=SIZE):
    """Return a network that upsamples its scores four-fold at the end."""
    image = keras.Input((*size, 3))
    x = layers.Conv2D(8, 3, strides=4, padding="same", activation="relu")(image)
    x = layers.UpSampling2D(4, interpolation="bilinear")(layers.Conv2D(5, 1)(x))
    return networks.settle(keras.Model(image, x, name="resized"))


def keras_2_medley(keras, size=SIZE):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tf_keras = pytest.importorskip("tf_keras", reason="writes Keras 2 files")
    return networks.medley(tf_keras, size)


BUILDERS = {
    "unet": networks.unet,
    "fcn8s": lambda keras, size: networks.fcn8s(keras, (64, 64)),
    "segnet": networks.segnet,
    "medley": keras_2_medley,
    "with_lambda": networks.with_lambda,
    "odd": odd_network,
    "resized": resized_network,
}


@pytest.fixture(scope="module")
def prepared(calibration, tmp_path_factory):
    """Return a function that loads, lowers and measures a network, once each."""
    done = {}

    def prepare(name):
        if name not in done:
            done[name] = _prepare(name, calibration, tmp_path_factory.mktemp(name))
        return done[name]

    return prepare


def _prepare(name, calibration, folder):
    path = folder / ("model.h5" if name == "medley" else "model.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras 2 calls its own format legacy
        BUILDERS[name](keras, SIZE).save(path)
    loaded = load_model(path, Loading(trust=name == "with_lambda"))
    content = lower(loaded.model)
    with segmenter_of(loaded) as reference:
        manifest = reference.manifest
    tflite = folder / "float.tflite"
    tflite.write_bytes(append_manifest(content, manifest))
    with Segmenter.open(tflite) as segmenter:
        tensors = CalibrationTensors(segmenter, sorted(calibration.iterdir()))
        ranges = measure(content, tensors)
        source = SyntheticSource("320x240,still,seed=9,frames=6")
        scenes = [segmenter.tensor(source.scene(index)[0]) for index in range(6)]
    flat = FlatModel(content)
    tied = dataclasses.replace(ranges, central=tie_ranges(flat, ranges.central))
    return SimpleNamespace(content=content, flat=flat, ranges=tied, scenes=scenes)


def scores_of(content, scenes, *, delegate=True):
    tensors = [quantized(content, scene) for scene in scenes]
    return real(content, run(content, tensors, delegate=delegate))


def labels_of(scores):
    return scores.argmax(-1) if scores.shape[-1] > 1 else scores[..., 0] > 0.5


def int8(network):
    """Return the int8 model with the quantizer's float islands, and without."""
    mixed, whole = (
        Quantization(network.content, load_recipe(name), network.ranges).make()
        for name in ("int8-mixed", "int8")
    )
    return mixed, whole


# Random weights leave scores close together: trained networks agree better
AGREEMENT = {
    "unet": 0.98,
    "fcn8s": 0.99,
    "segnet": 0.97,
    "medley": 0.96,
    "with_lambda": 0.97,
    "odd": 0.97,
    "resized": 0.98,
}


@pytest.mark.parametrize("name", BUILDERS)
def test_int8_is_complete_and_answers_like_float(name, prepared):
    network = prepared(name)
    islands, content = int8(network)
    graph = read_graph(content)
    assert set(graph.activations) == {"int8"}
    assert (graph.inputs[0].dtype, graph.outputs[0].dtype) == ("int8", "int8")
    expected = scores_of(network.content, network.scenes)
    assert len(np.unique(labels_of(expected))) > 1
    for delegate in (True, False):
        scores = scores_of(content, network.scenes, delegate=delegate)
        agreement = (labels_of(scores) == labels_of(expected)).mean()
        assert agreement >= AGREEMENT[name]
        before = scores_of(islands, network.scenes, delegate=delegate)
        step = graph.outputs[0].scale
        np.testing.assert_allclose(scores, before, atol=4.01 * step)
        assert (labels_of(scores) == labels_of(before)).mean() >= 0.985


@pytest.mark.parametrize("name", ["segnet", "medley"])
def test_islands_were_there_to_fill(name, prepared):
    islands, content = int8(prepared(name))
    assert "float32" in read_graph(islands).activations
    assert "DEQUANTIZE" not in read_graph(content).operators


def test_repeating_a_map_rounds_nothing_again(prepared):
    _, content = int8(prepared("segnet"))
    assert "QUANTIZE" not in read_graph(content).operators


@pytest.mark.parametrize(
    ("recipe", "least"),
    [
        ("float32", 1.0),
        ("float16", 0.999),
        ("dynamic-int8", 0.98),
        ("int16x8", 0.99),
        ("int8-mixed", 0.97),
    ],
)
def test_every_recipe_keeps_its_promise(recipe, least, prepared):
    network, rules = prepared("odd"), load_recipe(recipe)
    content = Quantization(network.content, rules, network.ranges).make()
    assert set(read_graph(content).activations) <= set(rules.activations)
    scores = scores_of(content, network.scenes)
    expected = scores_of(network.content, network.scenes)
    assert (labels_of(scores) == labels_of(expected)).mean() >= least
    shrinks = {"float32": 1.01, "float16": 0.75}.get(recipe, 0.6)
    assert len(content) < shrinks * len(network.content)


def test_all_recipes_are_run_here():
    tested = {"float32", "float16", "dynamic-int8", "int16x8", "int8-mixed", "int8"}
    assert tested == set(recipe_names())


def signal_to_noise(network, content):
    expected = scores_of(network.content, network.scenes)
    noise = np.square(scores_of(content, network.scenes) - expected).mean()
    return 10 * np.log10(np.square(expected).mean() / noise)


def test_rounding_for_the_inputs_beats_the_nearest_step(prepared):
    network, rules = prepared("resized"), load_recipe("int16x8")
    nearest = dataclasses.replace(rules, rounding=False)
    better, plain = (
        signal_to_noise(
            network, Quantization(network.content, one, network.ranges).make()
        )
        for one in (rules, nearest)
    )
    assert better > plain + 3


def test_one_channel_is_a_probability_of_256_steps(calibration, tmp_path, monkeypatch):
    monkeypatch.setitem(
        BUILDERS,
        "sigmoid",
        lambda keras, size: odd_network(keras, size, head="sigmoid", classes=1),
    )
    network = _prepare("sigmoid", calibration, tmp_path)
    _, content = int8(network)
    graph = read_graph(content)
    assert set(graph.activations) == {"int8"}
    assert (graph.outputs[0].scale, graph.outputs[0].zero_point) == (1 / 256, -128)
    expected = scores_of(network.content, network.scenes)
    scores = scores_of(content, network.scenes)
    np.testing.assert_allclose(scores, expected, atol=6 / 256)


def cut(network, head):
    """Return a network without its tail; what is left of it keeps its ranges."""
    content = apply_head(network.content, head).content
    ranges = measure(content, network.scenes)
    return SimpleNamespace(
        content=content, flat=FlatModel(content), ranges=ranges, scenes=network.scenes
    )


@pytest.mark.parametrize("name", ["unet", "resized"])
def test_labels_are_the_largest_int8_scores(name, prepared):
    network = cut(prepared(name), "labels")
    _, content = int8(network)
    labelled = join_argmax(content)
    graph = read_graph(labelled)
    assert set(graph.activations) == {"int8", "int32"}
    assert "SOFTMAX" not in graph.operators
    scores = scores_of(content, network.scenes)
    ids = run(labelled, [quantized(labelled, scene) for scene in network.scenes])
    np.testing.assert_array_equal(ids, scores.argmax(-1))


def test_stride_scores_are_a_sixteenth(prepared):
    network = cut(prepared("resized"), "logits-stride")
    _, content = int8(network)
    graph = read_graph(content)
    assert set(graph.activations) == {"int8"}
    assert graph.outputs[0].shape == (1, 12, 12, 5)
    expected = scores_of(network.content, network.scenes)
    scores = scores_of(content, network.scenes)
    np.testing.assert_allclose(scores, expected, atol=4 * graph.outputs[0].scale)
