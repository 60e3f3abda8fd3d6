"""What networks do to pixels themselves is found, and taken over exactly."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter.conversion.keras_device import segmenter_of
from edgeseg.converter.conversion.preprocessing import prepare_input
from edgeseg.converter.frameworks import need
from edgeseg.converter.loading.format import Loaded
from edgeseg.converter.networks.preprocessing import (
    fed_with_unit_pixels,
    input_scaling,
)
from edgeseg.runtime import Overrides

keras = need("keras")
layers, applications = keras.layers, keras.applications
MEAN, VARIANCE = [123.0, 116.0, 103.0], [3400.0, 3260.0, 3290.0]


def trained_norm():
    norm = layers.BatchNormalization()
    norm.build((None, 16, 16, 3))
    learned = [2.0, 3.0, 2.0], [0.1, 0.2, 0.3], [110.0, 105.0, 98.0], [4500.0] * 3
    norm.set_weights(list(map(np.array, learned)))
    return norm


KINDS = {
    "rescaling": lambda x: layers.Rescaling(1 / 255)(x),
    "rescaling with offset": lambda x: layers.Rescaling(1 / 127.5, offset=-1)(x),
    "from pixels 0..1": lambda x: layers.Rescaling(2.0, offset=-1.0)(x),
    "normalization": lambda x: layers.Normalization(mean=MEAN, variance=VARIANCE)(x),
    "both": lambda x: layers.Normalization(mean=[0.5] * 3, variance=[0.07] * 3)(
        layers.Rescaling(1 / 255)(x)
    ),
    "operators": lambda x: x / 127.5 - 1,
    "subtract first": lambda x: (x - 127.5) / 127.5,
    "caffe": applications.resnet50.preprocess_input,
    "torch": applications.densenet.preprocess_input,
    "lambda": lambda x: layers.Lambda(lambda y: y / 127.5 - 1)(x),
    "norm": lambda x: trained_norm()(x),
    "after augmentation": lambda x: layers.Rescaling(1 / 255)(layers.RandomFlip()(x)),
}


def network(front, *, pad=False):
    image = keras.Input(batch_shape=(1, 16, 16, 3))
    x = layers.ZeroPadding2D(1)(image) if pad else image
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(front(x))
    x = layers.Conv2D(3, 1)(x)
    return keras.Model(image, layers.Cropping2D(1)(x) if pad else x)


@pytest.fixture
def frame():
    return np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)


@pytest.mark.parametrize("kind", KINDS)
def test_the_host_does_what_the_network_did(kind, frame):
    model = network(KINDS[kind])
    whole = segmenter_of(Loaded(model))
    assert input_scaling(model).pixels == (
        "0..1" if kind == "from pixels 0..1" else "0..255"
    )
    prepared = prepare_input(model, whole.manifest, Overrides())
    kinds = [type(one).__name__ for one in prepared.model.operations]
    assert kinds.index("Conv2D") <= 2
    assert not prepared.is_guess
    stripped = segmenter_of(Loaded(prepared.model))
    fed = type(stripped)(stripped.device, prepared.manifest)
    np.testing.assert_allclose(
        fed.device.infer(fed.tensor(frame))[0],
        whole.device.infer(whole.tensor(frame))[0],
        atol=1e-3 if kind in ("caffe", "norm") else 1e-4,
    )


@pytest.mark.parametrize("front", [lambda x: x, lambda x: layers.Conv2D(3, 1)(x)])
def test_a_network_without_a_scaling_has_none(front):
    model = network(front)
    assert input_scaling(model) is None
    manifest = segmenter_of(Loaded(model)).manifest
    prepared = prepare_input(model, manifest, Overrides())
    assert prepared.is_guess
    assert prepared.manifest.mean == (127.5,) * 3
    assert "nothing in the file says so: --normalize" in prepared.text


def test_zeros_padded_in_front_keep_the_scaling_in_the_network():
    model = network(layers.Rescaling(1 / 255), pad=True)
    manifest = segmenter_of(Loaded(model)).manifest
    prepared = prepare_input(model, manifest, Overrides())
    assert prepared.model is model
    assert prepared.manifest.std == (1.0,) * 3
    assert "the network sees pixel; letterboxed; RGB, which it then" in prepared.text


def test_a_map_that_is_read_twice_stays_as_it_is():
    image = keras.Input(batch_shape=(1, 16, 16, 3))
    scaled = layers.Rescaling(1 / 255)(image)
    model = keras.Model(image, layers.Concatenate()([scaled, image]))
    assert input_scaling(model) is None


def test_what_the_user_says_comes_first():
    model = network(layers.Rescaling(1 / 255))
    said = Overrides(normalize=(0.0, 255.0))
    manifest = segmenter_of(Loaded(model), said).manifest
    prepared = prepare_input(model, manifest, said)
    np.testing.assert_allclose(prepared.manifest.std, 255.0**2, rtol=1e-5)
    assert "--normalize decides" in prepared.text


def test_training_feeds_what_the_network_expects(frame):
    model = network(layers.Rescaling(1 / 255))
    unit = fed_with_unit_pixels(model)
    pixels = frame[None].astype(np.float32)
    np.testing.assert_allclose(
        unit(pixels / 127.5 - 1), model(pixels), atol=1e-4, rtol=1e-4
    )
    assert input_scaling(unit).pixels == "-1..1"
