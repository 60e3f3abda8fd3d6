"""Against an implementation that goes pixel by pixel through the definition."""

from __future__ import annotations

import numpy as np
import pytest

from edgeseg.benchmarks.studies.speed.plain import plain_class_ids
from edgeseg.devices import ModelError, TensorSpec
from edgeseg.runtime.model.head import head_of
from edgeseg.runtime.model.manifest import RESIZES
from edgeseg.runtime.segmentation import best_classes, tiles
from edgeseg.runtime.segmentation.class_ids import class_ids
from edgeseg.runtime.segmentation.letterbox import Letterbox

CASES = [
    # picture, canvas, grid
    ((12, 17), (33, 33), (5, 5)),
    ((40, 23), (33, 33), (33, 33)),
    ((9, 9), (17, 33), (3, 5)),
    ((31, 64), (16, 16), (4, 4)),
    ((1, 7), (9, 9), (2, 2)),
]


def to_grid(pixel, picture, scaled, canvas, grid, resize):
    position = min(max((pixel + 0.5) * scaled / picture - 0.5, 0), scaled - 1)
    if resize == "align-corners":
        position = position * (grid - 1) / (canvas - 1)
    elif resize == "half-pixel":
        position = (position + 0.5) * grid / canvas - 0.5
    else:
        position = position * grid / canvas
    return min(max(position, 0), grid - 1)


def scores_pixel_by_pixel(scores, letterbox, resize):
    """Return upsampled scores ``(H, W, C)`` float64."""
    height, width = letterbox.picture_hw
    out = np.zeros((height, width, scores.shape[2]))
    for y in range(height):
        for x in range(width):
            (gy, gx) = (
                to_grid(
                    pixel,
                    letterbox.picture_hw[axis],
                    letterbox.scaled_hw[axis],
                    letterbox.input_hw[axis],
                    scores.shape[axis],
                    resize,
                )
                for axis, pixel in ((0, y), (1, x))
            )
            y0, x0 = int(gy), int(gx)
            y1, x1 = min(y0 + 1, scores.shape[0] - 1), min(x0 + 1, scores.shape[1] - 1)
            wy, wx = gy - y0, gx - x0
            top = scores[y0, x0] * (1 - wx) + scores[y0, x1] * wx
            bottom = scores[y1, x0] * (1 - wx) + scores[y1, x1] * wx
            out[y, x] = top * (1 - wy) + bottom * wy
    return out


@pytest.mark.parametrize("fit", ["letterbox", "stretch"])
@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize(("picture", "canvas", "grid"), CASES)
def test_logits_are_interpolated_then_compared(picture, canvas, grid, resize, fit):
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(*grid, 6))
    letterbox = Letterbox.of(picture, canvas, fit)
    spec = TensorSpec("scores", (1, *grid, 6), "float32")
    head = head_of(spec, labels=6)
    output = scores[None].astype(np.float32)
    got = class_ids(output, spec, head, letterbox, resize)
    exact = scores_pixel_by_pixel(scores, letterbox, resize)
    chosen = np.take_along_axis(exact, got[..., None].astype(np.intp), axis=2)[..., 0]
    # float32 rounding may choose another class only where both are equally good
    np.testing.assert_allclose(chosen, exact.max(axis=2), atol=1e-5)


def test_channels_first_gives_the_same_ids():
    scores = np.random.default_rng(1).normal(size=(1, 9, 7, 5)).astype(np.float32)
    letterbox = Letterbox.of((30, 41), (33, 33), "letterbox")
    last = TensorSpec("scores", (1, 9, 7, 5), "float32")
    first = TensorSpec("scores", (1, 5, 9, 7), "float32")
    np.testing.assert_array_equal(
        class_ids(scores, last, head_of(last), letterbox, "half-pixel"),
        class_ids(
            scores.transpose(0, 3, 1, 2), first, head_of(first), letterbox, "half-pixel"
        ),
    )


def test_quantized_logits_give_what_their_real_values_give():
    stored = np.random.default_rng(2).integers(-128, 128, (1, 9, 9, 4), dtype=np.int8)
    spec = TensorSpec("scores", stored.shape, "int8", 0.07, 11)
    real = TensorSpec("scores", stored.shape, "float32")
    letterbox = Letterbox.of((50, 33), (33, 33), "letterbox")
    got = class_ids(stored, spec, head_of(spec), letterbox, "align-corners")
    values = spec.dequantize(stored).astype(np.float64)[0]
    exact = scores_pixel_by_pixel(values, letterbox, "align-corners")
    chosen = np.take_along_axis(exact, got[..., None].astype(np.intp), axis=2)[..., 0]
    np.testing.assert_allclose(chosen, exact.max(axis=2), atol=1e-4)
    assert head_of(real) == head_of(spec)


@pytest.mark.parametrize("pixels", [1, 100, 700])
def test_large_pictures_are_done_in_parts_with_the_same_result(monkeypatch, pixels):
    scores = np.random.default_rng(3).normal(size=(1, 9, 9, 4)).astype(np.float32)
    spec = TensorSpec("scores", scores.shape, "float32")
    letterbox = Letterbox.of((61, 47), (33, 33), "letterbox")
    whole = class_ids(scores, spec, head_of(spec), letterbox, "half-pixel")
    monkeypatch.setattr(best_classes, "_BAND_PIXELS", pixels)
    monkeypatch.setattr(tiles, "_BATCH_SCORES", pixels)
    monkeypatch.setattr(tiles, "_ROW_PIXELS", pixels)
    parts = class_ids(scores, spec, head_of(spec), letterbox, "half-pixel")
    np.testing.assert_array_equal(parts, whole)


def test_the_output_tensor_is_left_as_it_is_and_the_ids_are_new():
    stored = np.random.default_rng(4).integers(0, 9, (1, 5, 5, 3), dtype=np.int8)
    spec = TensorSpec("scores", stored.shape, "int8", 0.1)
    before, letterbox = stored.copy(), Letterbox.of((20, 30), (33, 33), "letterbox")
    first = class_ids(stored, spec, head_of(spec), letterbox, "legacy")
    kept = first.copy()
    class_ids(np.flip(stored), spec, head_of(spec), letterbox, "legacy")
    np.testing.assert_array_equal(stored, before)
    np.testing.assert_array_equal(first, kept)
    assert first.flags.owndata
    assert first.flags.writeable


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_label_maps_are_taken_from_the_nearest_cell(dtype):
    ids = np.array([[[0, 1], [2, 3]]], dtype)
    spec = TensorSpec("ids", ids.shape, dtype)
    letterbox = Letterbox.of((4, 4), (2, 2), "letterbox")
    got = class_ids(ids, spec, head_of(spec), letterbox, "half-pixel")
    expected = np.repeat(np.repeat(ids[0], 2, axis=0), 2, axis=1)
    np.testing.assert_array_equal(got, expected)


def test_the_padding_is_cropped():
    ids = np.full((1, 8, 8), 7, np.int32)
    ids[:, :4] = 1
    spec = TensorSpec("ids", ids.shape, "int32")
    got = class_ids(
        ids,
        spec,
        head_of(spec),
        Letterbox.of((10, 20), (8, 8), "letterbox"),
        "half-pixel",
    )
    np.testing.assert_array_equal(got, np.ones((10, 20)))


def test_a_single_channel_is_compared_with_its_middle():
    letterbox = Letterbox.of((1, 2), (1, 2), "letterbox")
    for spec, low, high in (
        (TensorSpec("p", (1, 1, 2, 1), "uint8", 1 / 256, 0), 127, 129),
        (TensorSpec("p", (1, 1, 2, 1), "int8", 1 / 256, -128), -1, 1),
        (TensorSpec("z", (1, 1, 2, 1), "int8", 0.1, 5), 4, 6),
        (TensorSpec("p", (1, 1, 2, 1), "float32"), 0.4, 0.6),
        (TensorSpec("z", (1, 1, 2, 1), "float32"), -0.4, 0.4),
    ):
        output = np.array([low, high], spec.dtype).reshape(spec.shape)
        head = head_of(spec)
        got = class_ids(output, spec, head, letterbox, "half-pixel")
        np.testing.assert_array_equal(got, [[0, 1]])


def test_the_manifest_settles_what_a_single_channel_holds():
    spec = TensorSpec("z", (1, 1, 2, 1), "float32")
    output = np.array([0.2, 0.4], np.float32).reshape(spec.shape)
    letterbox = Letterbox.of((1, 2), (1, 2), "letterbox")
    got = class_ids(output, spec, head_of(spec, "logit"), letterbox, "half-pixel")
    np.testing.assert_array_equal(got, [[1, 1]])


@pytest.mark.parametrize(
    ("dtype", "value"),
    [("int64", -1), ("int64", 256), ("int32", -(2**31)), ("int16", 256), ("int8", -1)],
)
def test_ids_that_are_no_class_are_refused(dtype, value):
    spec = TensorSpec("ids", (1, 2, 2), dtype)
    output = np.zeros((1, 2, 2), dtype)
    output[0, 1, 1] = value
    with pytest.raises(ModelError, match=r"class ids 0\.\.255"):
        class_ids(
            output,
            spec,
            head_of(spec),
            Letterbox.of((2, 2), (2, 2), "stretch"),
            "legacy",
        )


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_refused(dtype, value):
    spec = TensorSpec("scores", (1, 2, 2, 3), dtype)
    output = np.zeros(spec.shape, dtype)
    output[0, 1, 1, 2] = value
    with pytest.raises(ModelError, match="not finite"):
        class_ids(
            output,
            spec,
            head_of(spec),
            Letterbox.of((2, 2), (2, 2), "stretch"),
            "legacy",
        )


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize(("picture", "canvas", "grid"), CASES)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64"])
def test_label_maps_are_those_of_the_plain_way(picture, canvas, grid, resize, dtype):
    ids = np.random.default_rng(6).integers(0, 128, (1, *grid)).astype(dtype)
    spec = TensorSpec("ids", ids.shape, dtype)
    letterbox = Letterbox.of(picture, canvas, "letterbox")
    got = class_ids(ids, spec, head_of(spec), letterbox, resize)
    plain = plain_class_ids(ids, spec, head_of(spec), letterbox, resize)
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, plain)
