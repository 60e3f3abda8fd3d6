"""Networks with channels first answer like their twins with channels last."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter.frameworks import need
from edgeseg.converter.loading.load import load_model
from edgeseg.devices import ModelError

keras = need("keras")
layers = keras.layers


def network(order, end=lambda x: x):
    """Draw a small U-Net; no TensorFlow on a processor computes it channels first."""
    first = order == "channels_first"
    axis = 1 if first else -1
    image = keras.Input((3, 32, 48) if first else (32, 48, 3))
    options = {"padding": "same", "data_format": order}
    x = skip = layers.Conv2D(4, 3, **options)(image)
    x = layers.ReLU()(layers.BatchNormalization(axis=axis)(x))
    x = layers.MaxPooling2D(data_format=order)(x)
    x = layers.DepthwiseConv2D(3, **options)(x)
    x = layers.Conv2DTranspose(4, 2, strides=2, **options)(x)
    x = layers.Concatenate(axis=axis)([x, skip])
    scores = layers.Conv2D(3, 1, data_format=order)(x)
    return keras.Model(image, end(layers.Softmax(axis=axis)(scores)))


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_it_answers_like_its_twin(suffix, tmp_path):
    source, twin = network("channels_first"), network("channels_last")
    random = np.random.default_rng(0)
    weights = [random.uniform(0.1, 1, w.shape) for w in source.get_weights()]
    for model in (source, twin):
        model.set_weights(weights)
    source.save(tmp_path / f"net.{suffix}")
    loaded = load_model(tmp_path / f"net.{suffix}")
    assert "turned to channels last" in " ".join(loaded.notes)
    pixels = random.normal(size=(1, 32, 48, 3)).astype("float32")
    np.testing.assert_allclose(loaded.model(pixels), twin(pixels), atol=1e-5)


def test_a_permute_to_channels_last_is_at_its_goal(tmp_path):
    model = network("channels_first", layers.Permute((2, 3, 1)))
    model.save(tmp_path / "net.keras")
    assert load_model(tmp_path / "net.keras").model.output.shape == (1, 32, 48, 3)


def test_what_depends_on_the_order_is_refused(tmp_path):
    model = network("channels_first", layers.Reshape((3, 32 * 48)))
    model.save(tmp_path / "net.keras")
    with pytest.raises(ModelError, match=r"\(Reshape\) cannot be turned: build it"):
        load_model(tmp_path / "net.keras")
