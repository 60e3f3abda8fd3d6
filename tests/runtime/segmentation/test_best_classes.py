"""Every class id equal to that of full float interpolation, whatever the scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseg.benchmarks.studies.speed.plain import plain_class_ids
from edgeseg.devices import TensorSpec
from edgeseg.runtime.model.head import Head, head_of
from edgeseg.runtime.model.manifest import FITS, RESIZES
from edgeseg.runtime.segmentation import best_classes, every_pixel
from edgeseg.runtime.segmentation.class_ids import class_ids
from edgeseg.runtime.segmentation.letterbox import Letterbox

DTYPES = ("int8", "uint8", "int16", "float32", "float16")
small = st.tuples(st.integers(1, 40), st.integers(1, 40))
pictures = st.tuples(st.integers(1, 150), st.integers(1, 150))
grids = st.tuples(st.integers(1, 24), st.integers(1, 24))


def spec_of(shape, dtype, zero_point=3):
    scale = 0.0 if dtype.startswith("float") else 0.1
    return TensorSpec("scores", shape, dtype, scale, zero_point)


def random_scores(rng, grid, classes, dtype, form):
    """Draw noise, areas of several cells, or scores that are often equal."""
    spread = {"noise": 20, "areas": 20, "ties": 1}[form]
    scores = rng.normal(scale=spread, size=(1, *grid, classes))
    if form == "areas":
        scores = scores[:, ::4, ::4].repeat(4, axis=1).repeat(4, axis=2)
        scores = scores[:, : grid[0], : grid[1]] + rng.normal(size=(1, *grid, classes))
    if form == "ties":
        scores = np.round(scores)
    if dtype.startswith("float"):
        return scores.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.round(scores + 3), limits.min, limits.max).astype(dtype)


def assert_as_plain(scores, spec, head, letterbox, resize):
    got = class_ids(scores, spec, head, letterbox, resize)
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(
        got, plain_class_ids(scores, spec, head, letterbox, resize)
    )


@settings(max_examples=300)
@given(
    pictures,
    small,
    grids,
    st.sampled_from([2, 3, 7, 21]),
    st.sampled_from(DTYPES),
    st.sampled_from(["noise", "areas", "ties"]),
    st.sampled_from(RESIZES),
    st.sampled_from(FITS),
    st.integers(0, 2**32 - 1),
)
def test_ids_are_those_of_full_interpolation(
    picture, canvas, grid, classes, dtype, form, resize, fit, seed
):
    scores = random_scores(np.random.default_rng(seed), grid, classes, dtype, form)
    head = Head("logits", classes, grid, -1)
    spec = spec_of(scores.shape, dtype)
    assert_as_plain(scores, spec, head, Letterbox.of(picture, canvas, fit), resize)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", ["noise", "areas", "ties"])
@pytest.mark.parametrize(("kind", "axis"), [("logits", 1), ("logit", -1), ("logit", 1)])
def test_channels_first_and_single_channels_too(kind, axis, form, dtype):
    classes = 5 if kind == "logits" else 1
    rng = np.random.default_rng(6)
    scores = random_scores(rng, (9, 11), classes, dtype, form)
    if axis == 1:
        scores = scores.transpose(0, 3, 1, 2)
    head = Head(kind, classes, (9, 11), axis)
    letterbox = Letterbox.of((90, 130), (33, 41), "letterbox")
    for resize in RESIZES:
        assert_as_plain(scores, spec_of(scores.shape, dtype), head, letterbox, resize)


@pytest.mark.parametrize("classes", [2, 256])
def test_the_fewest_and_the_most_classes(classes):
    rng = np.random.default_rng(7)
    scores = random_scores(rng, (6, 7), classes, "int8", "noise")
    letterbox = Letterbox.of((70, 50), (33, 33), "letterbox")
    spec = spec_of(scores.shape, "int8")
    head = Head("logits", classes, (6, 7), -1)
    assert_as_plain(scores, spec, head, letterbox, "half-pixel")


@pytest.mark.parametrize("magnitude", [1e-44, 1e-38, 1e-30, 1.0, 1e30, 1e37])
def test_what_only_rounding_decides_is_decided_by_the_same_rounding(magnitude):
    if magnitude < 1e-37 and np.float32(1e-40) * np.float32(1) == 0:
        pytest.skip("something in this process takes subnormal numbers for 0")
    rng = np.random.default_rng(8)
    first = (rng.uniform(0.1, 1, (1, 7, 7, 1)) * magnitude).astype(np.float32)
    # better by the last bit at every grid point, yet equal after some interpolations
    second = np.nextafter(first, np.float32(np.inf))
    scores = np.concatenate([first, second], axis=-1)
    letterbox = Letterbox.of((80, 80), (49, 49), "letterbox")
    spec, head = spec_of(scores.shape, "float32"), Head("logits", 2, (7, 7), -1)
    plain = plain_class_ids(scores, spec, head, letterbox, "align-corners")
    # numbers too small to be rounded relative to their size keep their difference
    assert set(np.unique(plain)) == ({0, 1} if magnitude >= 1e-30 else {1})
    assert_as_plain(scores, spec, head, letterbox, "align-corners")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("corners", "more"), [(0, 0), (np.inf, -99), (np.inf, 99)])
def test_tiles_and_whole_rows_give_the_same(dtype, corners, more, monkeypatch):
    monkeypatch.setattr(best_classes, "_OPEN_CORNERS", corners)
    monkeypatch.setattr(best_classes, "_TILE_CLASSES", more)
    monkeypatch.setattr(best_classes, "_GRID_POINTS", 0)
    monkeypatch.setattr(every_pixel, "_BLOCK_PIXELS", 1000)
    rng = np.random.default_rng(10)
    for form in ("noise", "areas", "ties"):
        scores = random_scores(rng, (13, 12), 5, dtype, form)
        spec, head = spec_of(scores.shape, dtype), Head("logits", 5, (13, 12), -1)
        for picture in ((100, 90), (9, 7), (1, 1)):
            letterbox = Letterbox.of(picture, (33, 33), "letterbox")
            assert_as_plain(scores, spec, head, letterbox, "half-pixel")


def test_noise_is_interpolated_everywhere_and_areas_are_not(monkeypatch):
    whole = []
    monkeypatch.setattr(best_classes, "fill_rows", lambda *_: whole.append(True))
    rng, letterbox = (
        np.random.default_rng(11),
        Letterbox.of((99, 99), (48, 48), "letterbox"),
    )
    head = Head("logits", 21, (48, 48), -1)
    for form, expected in (("areas", 0), ("noise", 1)):
        whole.clear()
        scores = random_scores(rng, (48, 48), 21, "int8", form)
        spec = spec_of(scores.shape, "int8")
        class_ids(scores, spec, head, letterbox, "half-pixel")
        assert len(whole) == expected
    whole.clear()
    class_ids(scores, spec, head, Letterbox.of((9, 9), (48, 48), "stretch"), "legacy")
    assert whole == [True]


def test_the_first_of_equal_classes_wins_everywhere():
    scores = np.random.default_rng(9).integers(-128, 128, (1, 8, 8, 3), dtype=np.int8)
    doubled = scores[..., [0, 0, 1, 1, 2, 2]]
    letterbox = Letterbox.of((100, 90), (33, 33), "letterbox")
    ids = class_ids(
        doubled, spec_of(doubled.shape, "int8"), Head("logits", 6, (8, 8), -1),
        letterbox, "half-pixel",
    )  # fmt: skip
    assert set(np.unique(ids)) == {0, 2, 4}


def test_cells_with_one_class_at_their_corners_are_not_interpolated(monkeypatch):
    scores = np.zeros((1, 9, 9, 3), np.int8)
    scores[..., 1] = 5
    scores[:, :, 5:, 2] = 9
    interpolated = []
    fill = best_classes.fill_tiles

    def count(ids, planes, candidates, tiles, rows, columns):
        interpolated.append((columns.low[tiles.columns], candidates.copy()))
        fill(ids, planes, candidates, tiles, rows, columns)

    monkeypatch.setattr(best_classes, "fill_tiles", count)
    spec = spec_of(scores.shape, "int8")
    letterbox = Letterbox.of((512, 512), (257, 257), "letterbox")
    ids = class_ids(scores, spec, head_of(spec), letterbox, "align-corners")
    np.testing.assert_array_equal(np.unique(ids), [1, 2])
    cells = np.concatenate([cell for cell, _ in interpolated])
    assert set(cells) == {4}  # the only column of cells with two classes
    assert not any(candidates[0].any() for _, candidates in interpolated)
