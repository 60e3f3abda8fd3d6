from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import sizes

from edgeseg.benchmarks.studies.speed.plain import encode
from edgeseg.devices import TensorSpec
from edgeseg.devices.boards.fake import Fake
from edgeseg.runtime import Manifest, Segmenter
from edgeseg.runtime.model.overrides import guess_manifest
from edgeseg.runtime.segmentation.letterbox import (
    Letterbox,
    encoding_table,
    scale_and_pad,
)

IDS = TensorSpec("ids", (1, 8, 8), "int32")


def image(dtype, scale=0.0, zero_point=0):
    return TensorSpec("image", (1, 8, 8, 3), dtype, scale, zero_point)


@given(sizes, sizes)
def test_letterbox_keeps_the_aspect_and_fills_one_side(picture, canvas):
    scaled = Letterbox.of(picture, canvas, "letterbox").scaled_hw
    assert all(1 <= s <= c for s, c in zip(scaled, canvas, strict=True))
    assert scaled[0] == canvas[0] or scaled[1] == canvas[1]
    scale = min(c / p for c, p in zip(canvas, picture, strict=True))
    exact = np.maximum(np.array(picture) * scale, 1)
    np.testing.assert_allclose(scaled, exact, atol=0.5 + 1e-9)


def test_letterbox_is_top_left_and_padded():
    frame = np.full((4, 8, 3), 200, np.uint8)
    canvas = scale_and_pad(frame, Letterbox.of((4, 8), (8, 8), "letterbox"), 127)
    np.testing.assert_array_equal(canvas[:4], 200)
    np.testing.assert_array_equal(canvas[4:], 127)


def test_stretch_fills_the_input():
    frame = np.full((4, 8, 3), 200, np.uint8)
    canvas = scale_and_pad(frame, Letterbox.of((4, 8), (6, 5), "stretch"), 127)
    np.testing.assert_array_equal(canvas, np.full((6, 5, 3), 200))


def test_an_8_bit_input_stores_pixels_as_they_are():
    pixels = np.arange(256)[:, None].repeat(3, axis=1)
    for spec, stored in (
        (image("uint8", 1 / 128, 128), pixels),
        (image("uint8", 1 / 127.5, 127), pixels),
        (image("int8", 1 / 127.5, -1), pixels - 128),
        (image("uint8"), pixels),
        (image("int8"), pixels - 128),
    ):
        table = encoding_table(spec, guess_manifest(spec, IDS))
        np.testing.assert_array_equal(table, stored.astype(spec.dtype))


def test_a_float_input_takes_minus_one_to_one():
    spec = image("float32")
    table = encoding_table(spec, guess_manifest(spec, IDS))
    expected = (np.arange(256) / 127.5 - 1).astype(np.float32)
    np.testing.assert_array_equal(table, expected[:, None].repeat(3, axis=1))


def test_mean_and_std_are_in_the_networks_channel_order():
    manifest = Manifest(mean=(10, 20, 30), std=(1, 2, 4), channels="bgr")
    table = encoding_table(image("float32"), manifest)
    red, green, blue = 50, 60, 70
    frame = np.array([[[red, green, blue]]], np.uint8)
    expected = [(blue - 10) / 1, (green - 20) / 2, (red - 30) / 4]
    np.testing.assert_array_equal(
        encode(frame, table, "bgr"), np.array(expected, np.float32)[None, None, None]
    )


@given(st.integers(0, 2**32 - 1))
def test_a_table_is_the_formula(seed):
    rng = np.random.default_rng(seed)
    frame = rng.integers(0, 256, (5, 4, 3), dtype=np.uint8)
    manifest = Manifest(mean=tuple(rng.uniform(0, 255, 3)), std=(58.4, 57.1, 57.4))
    tensor = encode(frame, encoding_table(image("float32"), manifest), "rgb")
    exact = (frame.astype(np.float64) - manifest.mean) / manifest.std
    np.testing.assert_allclose(tensor[0], exact, rtol=1e-6, atol=1e-6)


def test_the_frame_is_left_alone_even_at_the_networks_own_size():
    frame = np.full((8, 8, 3), 9, np.uint8)
    device = Fake((image("uint8", 1 / 128, 128),), (IDS,))
    with Segmenter(device, Manifest()) as segmenter:
        tensor = segmenter.tensor(frame)
        tensor[:] = 0
        segmenter.segment(frame)
    np.testing.assert_array_equal(frame, 9)


def test_a_channels_first_input_is_fed_channels_first():
    spec = TensorSpec("image", (1, 3, 8, 6), "float32")
    scores = TensorSpec("scores", (1, 2, 8, 6), "float32")
    manifest = guess_manifest(spec, scores)
    assert manifest.input_size == (8, 6)
    frame = np.zeros((8, 6, 3), np.uint8)
    frame[..., 0] = 255
    with Segmenter(Fake((spec,), (scores,)), manifest) as segmenter:
        tensor = segmenter.tensor(frame)
    np.testing.assert_array_equal(tensor[0, 0], 1)
    np.testing.assert_array_equal(tensor[0, 1:], -1)
