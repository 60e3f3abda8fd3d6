"""What the privacy effects let through: block means, and nothing else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.runtime.drawing.blocks import side_of
from edgeseg.runtime.drawing.effect import Scene
from edgeseg.runtime.drawing.open_effect import open_effect

EFFECTS = {"hide:80": 6, "hide:100": 5, "pixelate:8": 8, "pixelate:3": 3}


def scene_of(frame, ids, class_id=3):
    shown = np.zeros(256, bool)
    shown[class_id] = True
    return Scene(frame, ids, shown, np.zeros((256, 3), np.uint8))


def areas(random, height, width):
    ids = np.zeros((height, width), np.uint8)
    for _ in range(3):
        top, left = random.integers(0, height), random.integers(0, width)
        ids[top : top + 20, left : left + 25] = random.choice([3, 3, 7])
    return ids


def shuffled(random, frame, side):
    """Return the frame with the pixels of every whole block in another order."""
    mixed = frame.copy()
    for top in range(0, frame.shape[0] - side + 1, side):
        for left in range(0, frame.shape[1] - side + 1, side):
            block = mixed[top : top + side, left : left + side]
            block[:] = random.permutation(block.reshape(-1, 3)).reshape(block.shape)
    return mixed


@pytest.mark.parametrize("effect", sorted(EFFECTS))
@given(seed=st.integers(0, 2**32 - 1))
def test_nothing_finer_than_a_block_is_left_of_a_hidden_class(effect, seed):
    random, blocks = np.random.default_rng(seed), EFFECTS[effect]
    side = 9
    size = (blocks * side, (blocks + 2) * side)
    assert side_of(size, blocks) == side
    frame = random.integers(0, 256, (*size, 3), dtype=np.uint8)
    ids = areas(random, *size)
    drawer = open_effect(effect)
    drawn = drawer.draw(scene_of(frame, ids))
    other = drawer.draw(scene_of(shuffled(random, frame, side), ids))
    np.testing.assert_array_equal(drawn[ids == 3], other[ids == 3])


@pytest.mark.parametrize("effect", ["hide", "pixelate"])
@given(seed=st.integers(0, 2**32 - 1))
def test_far_from_a_hidden_class_every_pixel_stays(effect, seed):
    random = np.random.default_rng(seed)
    frame = random.integers(0, 256, (90, 140, 3), dtype=np.uint8)
    ids = areas(random, 90, 140)
    before = frame.copy()
    drawn = open_effect(effect).draw(scene_of(frame, ids))
    reach = 2 * (side_of(frame.shape, 16) + 4) + 1
    far = cv2.dilate((ids == 3).astype(np.uint8), np.ones((reach, reach))) == 0
    np.testing.assert_array_equal(drawn[far], frame[far])
    np.testing.assert_array_equal(frame, before)


@pytest.mark.parametrize("effect", ["hide", "pixelate"])
def test_a_rim_around_a_hidden_class_is_covered_too(effect):
    frame = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    ids = np.zeros((200, 300), np.uint8)
    ids[80:120, 100:200] = 3
    drawn = open_effect(effect).draw(scene_of(frame, ids))
    rim = cv2.dilate((ids == 3).astype(np.uint8), np.ones((7, 7))) > 0
    same = (drawn == frame).all(axis=2)
    assert same[rim].mean() < 0.01


def test_pixelate_fills_whole_blocks():
    frame = np.random.default_rng(0).integers(0, 256, (80, 120, 3), dtype=np.uint8)
    ids = np.zeros((80, 120), np.uint8)
    ids[25, 25] = 3  # one pixel: the block of 10 around it, beside no other
    drawn = open_effect("pixelate:8").draw(scene_of(frame, ids))
    block = (slice(20, 30), slice(20, 30))
    mean = frame[block].reshape(-1, 3).mean(axis=0)
    np.testing.assert_allclose(drawn[block] - mean, 0, atol=0.51)
    changed = (drawn != frame).any(axis=2)
    changed[block] = False
    assert not changed.any()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 40), (33, 7), (17, 301)])
@pytest.mark.parametrize("effect", ["hide", "hide:1", "pixelate", "pixelate:100"])
def test_every_size(size, effect):
    frame = np.zeros((*size, 3), np.uint8)
    drawn = open_effect(effect).draw(scene_of(frame, np.full(size, 3, np.uint8)))
    np.testing.assert_array_equal(drawn, frame)
