from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from edgeseg.runtime.drawing.effect import EDGES, Scene
from edgeseg.runtime.drawing.matte import matte
from edgeseg.runtime.drawing.open_effect import open_effect

COLOURS = np.random.default_rng(7).integers(0, 256, (256, 3), dtype=np.uint8)


def scene_of(frame, ids, *classes, edges="guided"):
    shown = np.zeros(256, bool)
    shown[list(classes)] = True
    return Scene(frame, ids, shown, COLOURS, edges=edges)


def disc(height=120, width=160, seed=0):
    """A frame of noise, a disc of class 3 in its middle and class 5 in a corner."""
    frame = np.random.default_rng(seed).integers(
        0, 256, (height, width, 3), dtype=np.uint8
    )
    ids = np.zeros((height, width), np.uint8)
    cv2.circle(ids, (width // 2, height // 2), height // 3, 3, -1)
    ids[:20, :20] = 5
    return frame, ids


def around(ids):
    """Return a square that reaches as far as any soft edge."""
    return np.ones((2 * (min(ids.shape) // 10) + 1,) * 2)


def inner(ids, class_id):
    """Return the pixels of a class farther from its border than a soft edge reaches."""
    return cv2.erode((ids == class_id).astype(np.uint8), around(ids)) > 0


def outer(ids, class_id):
    return cv2.dilate((ids == class_id).astype(np.uint8), around(ids)) == 0


@pytest.fixture
def beach(tmp_path):
    path = tmp_path / "beach.png"
    pixels = np.zeros((90, 300, 3), np.uint8)
    pixels[:, :100], pixels[:, 100:200], pixels[:, 200:] = 10, 120, 250
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize(
    "effect", ["blur", "blur:60", "grey", "colour:#102030", "file"]
)
@pytest.mark.parametrize("edges", EDGES)
def test_the_subject_stays_bit_for_bit_and_all_else_changes(effect, beach, edges):
    frame, ids = disc()
    before = frame.copy()
    text = f"picture:{beach}" if effect == "file" else effect
    drawn = open_effect(text).draw(scene_of(frame, ids, 3, edges=edges))
    kept, behind = inner(ids, 3), outer(ids, 3)
    np.testing.assert_array_equal(drawn[kept], frame[kept])
    assert (drawn[behind] != frame[behind]).any(axis=1).mean() > 0.95
    np.testing.assert_array_equal(frame, before)
    assert drawn.dtype == np.uint8


def test_one_colour_is_that_colour_behind_the_soft_edge():
    frame, ids = disc()
    drawn = open_effect("colour:1020ff").draw(scene_of(frame, ids, 3))
    np.testing.assert_array_equal(drawn[outer(ids, 3)] - [16, 32, 255], 0)


def test_grey_is_the_frame_s_own_brightness():
    frame, ids = disc()
    drawn = open_effect("grey").draw(scene_of(frame, ids, 3))
    grey = np.asarray(Image.fromarray(frame).convert("L"), int)[..., None]
    np.testing.assert_allclose(
        drawn[outer(ids, 3)], (grey + 0 * frame)[outer(ids, 3)], atol=1
    )


def test_a_picture_covers_the_frame_and_keeps_its_aspect(beach):
    frame, ids = np.zeros((90, 100, 3), np.uint8), np.zeros((90, 100), np.uint8)
    drawn = open_effect(f"picture:{beach}").draw(scene_of(frame, ids, 3))
    np.testing.assert_array_equal(drawn, np.full_like(frame, 120))  # its middle third


def test_a_picture_follows_a_change_of_size(beach):
    effect = open_effect(f"picture:{beach}")
    for height, width in ((48, 64), (64, 48), (200, 700)):
        frame, ids = disc(height, width)
        assert effect.draw(scene_of(frame, ids, 3)).shape == frame.shape


@pytest.mark.parametrize("strength", [5, 30, 100])
def test_blur_does_not_smear_the_subject_into_the_background(strength):
    ids = np.zeros((240, 320), np.uint8)
    cv2.circle(ids, (160, 120), 80, 3, -1)
    frame = np.full((240, 320, 3), 40, np.uint8)
    frame[ids == 3] = (255, 0, 0)
    drawn = open_effect(f"blur:{strength}").draw(scene_of(frame, ids, 3))
    np.testing.assert_allclose(drawn[outer(ids, 3)], 40, atol=1)


def test_blur_blurs_more_with_more_strength():
    frame, ids = disc(240, 320)
    left = [
        open_effect(f"blur:{s}").draw(scene_of(frame, ids, 3))[outer(ids, 3)].std()
        for s in (1, 10, 40, 100)
    ]
    assert left == sorted(left, reverse=True)
    assert left[-1] < 10 < left[0]


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 40), (33, 7)])
@pytest.mark.parametrize("effect", ["blur", "blur:100", "grey", "colour:#000000"])
@pytest.mark.parametrize("class_id", [0, 3])
def test_every_size_and_a_subject_that_is_all_or_nothing(size, effect, class_id):
    frame = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    ids = np.full(size, class_id, np.uint8)
    drawn = open_effect(effect).draw(scene_of(frame, ids, 3))
    assert drawn.shape == frame.shape
    if class_id == 3:
        np.testing.assert_array_equal(drawn, frame)


def test_hard_edges_are_those_of_the_ids():
    frame, ids = disc()
    drawn = open_effect("colour:1020ff").draw(scene_of(frame, ids, 3, edges="hard"))
    np.testing.assert_array_equal(drawn[ids == 3], frame[ids == 3])
    np.testing.assert_array_equal(drawn[ids != 3] - [16, 32, 255], 0)


@pytest.mark.parametrize("edges", ["smooth", "guided"])
def test_a_soft_edge_rounds_steps_off(edges):
    ids = np.zeros((400, 400), np.uint8)
    ids.reshape(50, 8, 50, 8)[:] = np.tri(50)[:, None, :, None] * 3  # steps of 8 pixels
    black = np.zeros((400, 400, 3), np.uint8)
    opacity = matte(scene_of(black, ids, 3, edges=edges))
    assert set(np.unique(opacity)) > {0, 255}
    half = (opacity[100:300] > 127).sum(axis=1)
    assert np.abs(np.diff(half)).max() < 8
