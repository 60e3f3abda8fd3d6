"""Views: picture and mask stay together, and nothing new gets into a mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.converter.training.data.augmentation import (
    ZOOM,
    View,
    letterbox_scale,
    random_colours,
    random_view,
    saturate,
    take_view,
    turn_hue,
)
from edgeseg.runtime.segmentation.letterbox import Letterbox, scale_and_pad

SIDES = st.integers(8, 90)


@given(st.integers(0, 2**32), SIDES, SIDES, SIDES, SIDES)
def test_a_mask_shows_ids_of_the_truth_or_void(seed, height, width, high, wide):
    rng = np.random.default_rng(seed)
    frame = rng.integers(0, 256, (height, width, 3), np.uint8)
    ids = rng.choice(np.uint8([0, 3, 7, 255]), (height, width))
    before = frame.copy(), ids.copy()
    view = random_view(rng, (height, width), (high, wide))
    shown, truth = take_view(frame, ids, view, (high, wide))
    assert shown.shape == (high, wide, 3)
    assert truth.shape == (high, wide)
    assert set(np.unique(truth)) <= set(np.unique(ids)) | {255}
    np.testing.assert_array_equal(frame, before[0])
    np.testing.assert_array_equal(ids, before[1])


@given(st.integers(0, 2**32), SIDES, SIDES)
def test_a_view_is_within_its_limits(seed, height, width):
    view = random_view(np.random.default_rng(seed), (height, width), (65, 65))
    zoom = view.scale / letterbox_scale((height, width), (65, 65))
    assert 1 / ZOOM <= zoom <= ZOOM
    for offset, length in zip(view.offset_yx, (height, width), strict=True):
        room = 65 - length * view.scale
        assert min(room, 0) <= offset <= max(room, 0)


@given(st.integers(0, 2**32))
def test_a_marker_lies_at_the_same_place_in_both(seed):
    """A white square on black, with its mask: edges agree to half a pixel."""
    rng = np.random.default_rng(seed)
    frame, ids = np.zeros((80, 100, 3), np.uint8), np.zeros((80, 100), np.uint8)
    top, left = rng.integers(10, 50, 2)
    frame[top : top + 20, left : left + 25] = 255
    ids[top : top + 20, left : left + 25] = 1
    view = random_view(rng, ids.shape, (97, 97))
    shown, truth = take_view(frame, ids, view, (97, 97), pad=0)
    bright = shown[..., 0]
    assert (truth[bright > 160] == 1).all()
    # near a corner a quarter of the light is left where the nearest pixel is inside
    assert (truth[bright < 50] != 1).all()


def test_a_view_without_change_is_the_letterbox_of_the_board():
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (50, 80, 3), np.uint8)
    ids = np.ones((50, 80), np.uint8)
    scale = letterbox_scale((50, 80), (65, 65))
    shown, truth = take_view(frame, ids, View(scale), (65, 65))
    board = scale_and_pad(frame, Letterbox.of((50, 80), (65, 65), "letterbox"), 127)
    inside = board[1:39, 1:64].astype(int)
    # the board rounds the scaled height to whole pixels: 40.6 to 41
    assert np.abs(shown[1:39, 1:64] - inside).mean() < 20
    assert (truth[:40] == 1).all()
    assert (truth[42:] == 255).all()
    assert (shown[42:] == 127).all()


def test_a_flip_turns_left_and_right():
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (33, 33, 3), np.uint8)
    ids = rng.integers(0, 4, (33, 33)).astype(np.uint8)
    shown, truth = take_view(frame, ids, View(1.0, flip=True), (33, 33))
    np.testing.assert_array_equal(shown, frame[:, ::-1])
    np.testing.assert_array_equal(truth, ids[:, ::-1])


@given(st.integers(0, 2**32))
def test_colours_keep_the_form_and_the_argument(seed):
    rng = np.random.default_rng(seed)
    frame = rng.integers(0, 256, (17, 23, 3), np.uint8)
    before = frame.copy()
    changed = random_colours(frame, rng)
    assert changed.shape == frame.shape
    assert changed.dtype == np.uint8
    np.testing.assert_array_equal(frame, before)


def test_grey_has_no_colour_and_keeps_its_hue():
    frame = np.random.default_rng(1).integers(0, 256, (9, 9, 3), np.uint8)
    grey = saturate(frame, 0.0)
    np.testing.assert_array_equal(grey[..., 0], grey[..., 2])
    np.testing.assert_allclose(turn_hue(grey, 40.0), grey, atol=1)


def test_a_third_of_a_turn_makes_red_green():
    red = np.full((2, 2, 3), (200, 10, 20), np.uint8)
    np.testing.assert_allclose(turn_hue(red, 120.0)[0, 0], (20, 200, 10), atol=1)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_picture(seed):
    frame = np.random.default_rng(7).integers(0, 256, (31, 31, 3), np.uint8)
    first, second = (
        random_colours(frame, np.random.default_rng(seed)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
