"""Keras files with float16 weights: half as large, and the same bytes again."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the extra `convert`")

import keras

from edgeseg.converter.loading.load import load_model
from edgeseg.converter.loading.mending.half_weights import save_half
from edgeseg.converter.loading.mending.portable import save_portable
from edgeseg.devices import ConversionError


def network():
    image = keras.Input((16, 16, 3))
    x = keras.layers.SeparableConv2D(64, 3, padding="same")(image)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Conv2D(256, 1)(x)
    return keras.Model(image, keras.layers.Conv2D(2, 1)(x))


def test_half_the_bytes_and_near_answers(tmp_path):
    keras.utils.set_random_seed(4)
    model = network()
    save_portable(model, tmp_path / "net.keras")
    save_half(tmp_path / "net.keras", tmp_path / "half.keras")
    save_half(tmp_path / "net.keras", tmp_path / "again.keras")
    content = (tmp_path / "half.keras").read_bytes()
    assert content == (tmp_path / "again.keras").read_bytes()
    whole = (tmp_path / "net.keras").stat().st_size
    weights = sum(4 * value.size for value in model.get_weights())
    assert whole - len(content) == pytest.approx(weights / 2, rel=0.05)
    for loaded in (
        load_model(tmp_path / "half.keras").model,
        keras.models.load_model(tmp_path / "half.keras"),
    ):
        for got, wanted in zip(loaded.get_weights(), model.get_weights(), strict=True):
            assert got.dtype == np.float32
            np.testing.assert_array_equal(got, wanted.astype(np.float16))


def test_numbers_that_do_not_fit_are_refused(tmp_path):
    model = network()
    model.layers[-1].bias.assign([1e6, 0.0])
    save_portable(model, tmp_path / "net.keras")
    with pytest.raises(ConversionError, match="65504"):
        save_half(tmp_path / "net.keras", tmp_path / "half.keras")
    assert not (tmp_path / "half.keras").exists()
