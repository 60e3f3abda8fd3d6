from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgeseg.runtime.drawing.guided_filter import guided_opacity


def disc(height, width, *, radius=0.3):
    """Return a mask of a disc in the middle, its radius a share of the shorter side."""
    mask = np.zeros((height, width), np.uint8)
    reach = round(radius * min(height, width))
    cv2.circle(mask, (width // 2, height // 2), reach, 255, -1)
    return mask


def coloured(mask, inside, outside, noise=0.0):
    frame = np.where(mask[..., None] > 0, inside, outside).astype(float)
    frame += np.random.default_rng(0).normal(0, noise, frame.shape)
    return frame.clip(0, 255).astype(np.uint8)


def wrong(opacity, truth):
    return int(((opacity > 127) != (truth > 0)).sum())


@pytest.mark.parametrize("size", [(94, 94), (240, 320), (375, 500), (720, 1280)])
@pytest.mark.parametrize("radius", [0.29, 0.31], ids=["too small", "too large"])
@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ((200, 60, 40), (40, 90, 60)),
        ((120, 120, 120), (180, 180, 180)),
        ((60, 120, 90), (120, 60, 90)),  # of one brightness
    ],
)
def test_the_border_moves_to_the_picture_s(size, radius, inside, outside):
    truth = disc(*size)
    frame, mask = coloured(truth, inside, outside, 5), disc(*size, radius=radius)
    assert wrong(guided_opacity(frame, mask), truth) < 0.1 * wrong(mask, truth)


def test_where_the_picture_says_nothing_the_border_stays():
    truth = disc(240, 320)
    opacity = guided_opacity(np.full((240, 320, 3), 90, np.uint8), truth)
    assert wrong(opacity, truth) < 0.02 * (truth > 0).sum()


@pytest.mark.parametrize(
    "frame",
    [
        np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8),
        np.tile(np.eye(100, dtype=np.uint8)[..., None] * 255, (2, 3, 3)),
        coloured(disc(200, 300), (255, 255, 255), (0, 0, 0)),
    ],
    ids=["noise", "black and white", "the same disc"],
)
def test_far_from_the_border_the_mask_stays_bit_for_bit(frame):
    mask = disc(200, 300)
    opacity = guided_opacity(frame, mask)
    near = np.ones((2 * 17 + 1,) * 2, np.uint8)  # eight cells of two pixels, and one
    far = cv2.dilate(mask, near) == cv2.erode(mask, near)
    np.testing.assert_array_equal(opacity[far], mask[far])
    assert opacity.dtype == np.uint8
    assert opacity.shape == mask.shape


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (2, 3), (95, 7), (300, 2)])
def test_every_size(size):
    frame = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    mask = np.zeros(size, np.uint8)
    for value in (0, 255):
        np.testing.assert_array_equal(guided_opacity(frame, mask + value), mask + value)
    mask[: max(1, size[0] // 2), : max(1, size[1] // 2)] = 255
    assert guided_opacity(frame, mask).shape == size
