"""An uint8 input of pixels in front of networks that normalize them in many ways."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert.tools", reason="needs the extra `convert`")

from graphs import Drawing, run

from edgeseg.converter.conversion.packaging import Packaging
from edgeseg.converter.quantization.pixel_input import (
    pixel_manifest,
    stores_pixels,
    take_pixels,
)
from edgeseg.devices import TensorSpec
from edgeseg.runtime import Manifest
from edgeseg.runtime.model.inspection import read_graph
from edgeseg.runtime.segmentation.letterbox import encoding_table

SHAPE = (1, 16, 16, 3)
IMAGENET = Manifest(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
CAFFE = Manifest(mean=(103.939, 116.779, 123.68), std=(1, 1, 1), channels="bgr")
NEGATIVE = Manifest(mean=(127.5,) * 3, std=(-127.5, 127.5, 60))
STEPS = {"imagenet": (4.8 / 255, -17), "caffe": (1.0, -4), "negative": (4.3 / 255, 3)}
MANIFESTS = {"imagenet": IMAGENET, "caffe": CAFFE, "negative": NEGATIVE}


def network(steps):
    """Draw an int8 graph that gives back what it takes, on a coarser scale."""
    draw = Drawing()
    image = draw.image(SHAPE, steps)
    wide = (steps[0] * 1.5, steps[1])
    return draw.content(draw.apply("QUANTIZE", [image], SHAPE, steps=wide))


def pixels():
    return np.arange(256 * 3, dtype=np.uint8).reshape(SHAPE) * np.uint8(7)


@pytest.mark.parametrize("name", sorted(MANIFESTS))
@pytest.mark.parametrize("delegate", [True, False])
def test_the_network_gets_what_the_host_would_store(name, delegate):
    manifest, inner = MANIFESTS[name], network(STEPS[name])
    source = read_graph(inner).inputs[0]
    table = encoding_table(source, manifest).astype(np.int8)
    channels = pixels()[..., ::-1] if manifest.channels == "bgr" else pixels()
    stored = np.stack([table[channels[..., c], c] for c in range(3)], axis=-1)
    expected = run(inner, [stored], delegate=delegate).astype(int)
    content = take_pixels(inner, manifest)
    found = run(content, [pixels()], delegate=delegate).astype(int)
    assert np.abs(found - expected).max() <= 1
    assert len(np.unique(expected)) > 50


@pytest.mark.parametrize("name", sorted(MANIFESTS))
def test_a_conversion_to_uint8_takes_pixels(name):
    wrapped = Packaging(MANIFESTS[name], io="uint8").wrapped(network(STEPS[name]))
    (source,) = read_graph(wrapped.content).inputs
    assert stores_pixels(source, wrapped.manifest)
    table = encoding_table(source, wrapped.manifest)
    np.testing.assert_array_equal(table, np.arange(256)[:, None] * [1, 1, 1])
    assert read_graph(wrapped.content).operators["CONV_2D"] == 1


def test_a_network_that_stores_pixels_already_costs_nothing():
    inner = network((1 / 127.5, -1))
    wrapped = Packaging(Manifest(), io="uint8").wrapped(inner)
    assert "CONV_2D" not in read_graph(wrapped.content).operators
    assert wrapped.manifest == Manifest()


def test_what_the_bytes_of_an_input_are():
    source = TensorSpec("image", SHAPE, "uint8", 1 / 127.5, 127)
    assert stores_pixels(source, Manifest())
    assert not stores_pixels(source, IMAGENET)
    assert not stores_pixels(source, Manifest(channels="bgr"))
    assert not stores_pixels(TensorSpec("image", SHAPE, "int8", 1 / 127.5, -1), CAFFE)
    assert pixel_manifest(CAFFE).channels == "rgb"
