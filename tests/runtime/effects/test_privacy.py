"""What the privacy effects let through: block means, and nothing else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.runtime.drawing.blocks import areas_by_side, side_of
from edgeseg.runtime.drawing.effect import Scene
from edgeseg.runtime.drawing.open_effect import open_effect

# with the blocks along the shorter side that a block's side is at least a part of
EFFECTS = {
    "hide:80": 6,
    "hide:100": 5,
    "pixelate:8": 8,
    "pixelate:3": 3,
    "hide:1": 500,
    "pixelate:100": 100,
}


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
    random = np.random.default_rng(seed)
    size = tuple(int(n) for n in random.integers(40, 110, 2))
    frame = random.integers(0, 256, (*size, 3), dtype=np.uint8)
    ids = areas(random, *size)
    drawer = open_effect(effect)
    drawn = drawer.draw(scene_of(frame, ids))
    hidden = areas_by_side(
        (ids == 3).astype(np.uint8) * 255, side_of(size, EFFECTS[effect])
    )
    for side, part in hidden:
        # an area with larger blocks may reach over this one
        others = sum(
            (other for one, other in hidden if one != side), np.zeros_like(part)
        )
        reach = 3 * max(one for one, _ in hidden)
        near = cv2.dilate(others, np.ones((2 * reach + 1,) * 2, np.uint8)) > 0
        judged = (part > 0) & ~near
        other = drawer.draw(scene_of(shuffled(random, frame, side), ids))
        np.testing.assert_array_equal(drawn[judged], other[judged])


@pytest.mark.parametrize("effect", ["hide", "pixelate"])
@given(seed=st.integers(0, 2**32 - 1))
def test_far_from_a_hidden_class_every_pixel_stays(effect, seed):
    random = np.random.default_rng(seed)
    frame = random.integers(0, 256, (90, 140, 3), dtype=np.uint8)
    ids = areas(random, 90, 140)
    before = frame.copy()
    drawn = open_effect(effect).draw(scene_of(frame, ids))
    hidden = areas_by_side((ids == 3).astype(np.uint8) * 255, side_of((90, 140), 5))
    reach = 2 * (max((side for side, _ in hidden), default=0) + 4) + 1
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


WEAKEST = ["hide:1", "pixelate:100"]


def face_in(root, height, width, share):
    """Return a scene with a face whose height is a share of the frame's."""
    photo = cv2.imread(str(root / "runtime/shipped/photos/astronaut.jpg"))[..., ::-1]
    frame = cv2.resize(photo[200:500, :400], (width, height))
    size = int(height * share)
    face = cv2.resize(photo[40:200, 150:310], (size, size))
    top, left = (height - size) // 2, (width - size) // 2
    frame[top : top + size, left : left + size] = face
    ids = np.zeros((height, width), np.uint8)
    middle, radii = (width // 2, height // 2), (int(size * 0.4), int(size * 0.45))
    cv2.ellipse(ids, middle, radii, 0, 0, 360, 3, -1)
    return scene_of(np.ascontiguousarray(frame), ids), radii


def detail(picture, scene, radii):
    """Return the variance of what is finer than a sixth of the face, per pixel."""
    middle_y, middle_x = scene.ids.shape[0] // 2, scene.ids.shape[1] // 2
    half = radii[0] // 2  # inside the ellipse
    inner = picture[
        middle_y - half : middle_y + half, middle_x - half : middle_x + half
    ].mean(axis=2)
    window = np.hanning(2 * half)
    energy = np.abs(np.fft.fft2((inner - inner.mean()) * np.outer(window, window))) ** 2
    cycles = np.abs(np.fft.fftfreq(2 * half) * 2 * radii[0])  # across the face
    fine = np.maximum(cycles[:, None], cycles[None]) > 6
    return energy[fine].sum() / (2 * half) ** 4


@pytest.mark.parametrize("frame", [(480, 640), (1080, 1920), (240, 320)])
@pytest.mark.parametrize("share", [1.0, 0.5, 0.3])
def test_the_weakest_blur_leaves_no_features_of_a_face_at_any_size(root, frame, share):
    scene, radii = face_in(root, *frame, share)
    drawn = open_effect("hide:1").draw(scene)
    before, after = detail(scene.frame, scene, radii), detail(drawn, scene, radii)
    assert before > 1
    assert after < before / 50


@pytest.mark.parametrize("frame", [(480, 640), (1080, 1920), (240, 320)])
@pytest.mark.parametrize("share", [1.0, 0.5, 0.25, 0.12])
def test_the_weakest_squares_are_few_across_a_face_at_any_size(root, frame, share):
    scene, radii = face_in(root, *frame, share)
    drawn = open_effect("pixelate:100").draw(scene)
    for line in (drawn[frame[0] // 2], drawn[:, frame[1] // 2]):
        middle = len(line) // 2
        face = line[middle - radii[0] : middle + radii[0]].astype(int)
        squares = 1 + np.any(np.diff(face, axis=0), axis=1).sum()
        assert squares <= 7  # six, and one that is cut


@pytest.mark.parametrize("effect", WEAKEST)
def test_a_face_that_is_found_in_pieces_is_hidden_as_one(root, effect):
    whole, _ = face_in(root, 480, 640, 0.6)
    ids = whole.ids.copy()
    ids[::20] = ids[:, ::20] = 0  # hundreds of small pieces
    ids[1::20] = ids[:, 1::20] = 0
    sides = [s for s, _ in areas_by_side((ids == 3).astype(np.uint8) * 255, 1)]
    assert sides == [s for s, _ in areas_by_side((whole.ids == 3) * np.uint8(255), 1)]
    drawer = open_effect(effect)
    np.testing.assert_array_equal(
        drawer.draw(scene_of(whole.frame, ids))[ids == 3],
        drawer.draw(whole)[ids == 3],
    )


def test_every_area_has_blocks_of_its_own_size():
    ids = np.zeros((480, 640), np.uint8)
    ids[20:460, 20:300], ids[200:240, 500:540] = 3, 3
    sizes = areas_by_side((ids == 3).astype(np.uint8) * 255, 5)
    assert len(sizes) == 2
    (small, little), (large, big) = sizes
    assert 40 / 6 <= small <= 24
    assert 280 / 6 <= large <= 72
    np.testing.assert_array_equal((little | big) > 0, ids == 3)
    assert not (little & big).any()
    assert little[220, 520] == 255
