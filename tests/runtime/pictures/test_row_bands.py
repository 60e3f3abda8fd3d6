from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from edgeseg.runtime.pictures import row_bands as banding
from edgeseg.runtime.pictures.row_bands import image_of, row_bands, upright_pixels

MODES = ["RGB", "L", "LA", "RGBA", "P", "CMYK", "YCbCr", "1", "I", "F"]


@pytest.fixture(autouse=True)
def narrow_bands(monkeypatch):
    """Make bands of few rows, the last one shorter."""
    monkeypatch.setattr(banding, "_BAND_PIXELS", 7 * 31)


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (24, 31, 3), dtype=np.uint8)


def test_bands_cover_every_row_once():
    rows = [row for part in row_bands(24, 31) for row in range(24)[part]]
    assert rows == list(range(24))
    assert len(list(row_bands(24, 31))) == 4


@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8, 9])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pixels_are_those_that_pillow_turns_upright(orientation, mode, noise):
    image = Image.fromarray(noise).convert(mode)
    image.getexif()[274] = orientation
    expected = np.array(ImageOps.exif_transpose(image).convert("RGB"))
    np.testing.assert_array_equal(upright_pixels(image), expected)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_gives_what_pillow_makes_of_it_whole(mode, noise):
    image = Image.fromarray(noise).convert("RGB").convert(mode)
    np.testing.assert_array_equal(upright_pixels(image), np.array(image.convert("RGB")))


def test_16_bit_grey_is_scaled_in_every_band():
    deep = np.arange(24 * 31, dtype=np.uint16).reshape(24, 31) * 88
    got = upright_pixels(Image.fromarray(deep))
    np.testing.assert_array_equal(got, np.repeat((deep >> 8)[..., None], 3, axis=2))


@pytest.mark.parametrize("channels", [3, 4])
def test_an_image_comes_together_from_its_bands(channels):
    whole = np.random.default_rng(1).integers(0, 256, (24, 31, channels), np.uint8)
    image = image_of((whole[rows] for rows in row_bands(24, 31)), 24)
    np.testing.assert_array_equal(np.array(image), whole)
    np.testing.assert_array_equal(np.array(image_of([whole], 24)), whole)
