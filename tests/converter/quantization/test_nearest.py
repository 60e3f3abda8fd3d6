"""Repeated cells become one operator, exactly; what only looks alike stays."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from graphs import run

from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.frameworks import need
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.nearest import join_repeats

keras = need("keras")
RESIZE = "RESIZE_NEAREST_NEIGHBOR"


def lowered(*middle):
    image = x = keras.Input(batch_shape=(1, 6, 5, 3))
    for layer in (keras.layers.Conv2D(4, 1), *middle, keras.layers.Conv2D(2, 3)):
        x = layer(x)
    return lower(keras.Model(image, x))


def kinds(content):
    flat = FlatModel(content)
    return [flat.kind(operator) for operator in flat.graph.operators]


@pytest.mark.parametrize("factors", [2, (2, 3), (1, 2)])
def test_upsampling_by_whole_numbers_is_one_operator(factors):
    before = lowered(keras.layers.UpSampling2D(factors))
    after = join_repeats(before)
    assert kinds(after) == ["CONV_2D", RESIZE, "CONV_2D"]
    pictures = np.random.default_rng(0).normal(size=(3, 1, 6, 5, 3)).astype("float32")
    np.testing.assert_array_equal(run(before, pictures), run(after, pictures))


def test_bilinear_upsampling_stays():
    content = lowered(keras.layers.UpSampling2D(2, interpolation="bilinear"))
    assert join_repeats(content) is content
    assert "RESIZE_BILINEAR" in kinds(content)


class Tiles(keras.layers.Layer):
    def call(self, x):
        return keras.ops.tile(x, (1, 2, 2, 1))


@pytest.mark.parametrize(
    "layer",
    [Tiles(), keras.layers.Reshape((3, 10, 4)), keras.layers.Reshape((12, 5, 2))],
)
def test_maps_that_are_moved_otherwise_stay(layer):
    content = lowered(layer)
    assert join_repeats(content) is content
