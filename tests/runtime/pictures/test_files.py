from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.devices import InputError, OutputError
from edgeseg.runtime.drawing.overlay import colour_table
from edgeseg.runtime.pictures.atomic import check_writable, replacing, write_bytes
from edgeseg.runtime.pictures.files import (
    read_ids,
    read_picture,
    write_ids,
    write_picture,
)


@pytest.fixture
def gradient():
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def test_png_round_trip(gradient, tmp_path):
    write_picture(tmp_path / "new" / "a.png", gradient)
    np.testing.assert_array_equal(read_picture(tmp_path / "new" / "a.png"), gradient)


@pytest.mark.parametrize(("orientation", "turn"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_photos_are_turned_upright(orientation, turn, gradient, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.png"
    Image.fromarray(gradient).save(path, exif=exif)
    np.testing.assert_array_equal(read_picture(path), np.rot90(gradient, turn))


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1"])
def test_every_mode_becomes_rgb(mode, gradient, tmp_path):
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    Image.fromarray(gradient).convert(mode).save(path)
    assert read_picture(path).shape == gradient.shape


def test_16_bit_grey_keeps_its_brightness(tmp_path):
    deep = np.array([[0, 32768, 65535]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    got = read_picture(tmp_path / "deep.png")
    np.testing.assert_array_equal(got[..., 0], [[0, 128, 255]])


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp", ".tif"])
def test_truncated_pictures_are_refused(suffix, gradient, tmp_path):
    path = tmp_path / f"whole{suffix}"
    write_picture(path, gradient)
    content = path.read_bytes()
    for share in (0.1, 0.5, 0.9):
        cut = tmp_path / f"cut{suffix}"
        cut.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(InputError, match="cannot read picture"):
            read_picture(cut)


@pytest.mark.parametrize("content", [b"", b"just text", b"\x89PNG\r\n\x1a\n", b"BM"])
def test_what_is_no_picture_is_refused(content, tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.jpg"):
        read_picture(path)


def test_a_missing_picture_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "no.jpg", tmp_path):
        with pytest.raises(InputError, match="cannot read picture"):
            read_picture(path)


def test_ids_survive_whatever_their_colour(tmp_path):
    ids = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for table in (colour_table(()), np.zeros((256, 3), np.uint8)):
        write_ids(tmp_path / "ids.png", ids, table)
        np.testing.assert_array_equal(read_ids(tmp_path / "ids.png"), ids)


def test_few_ids_are_stored_whole(tmp_path):
    ids = np.array([[0, 3]], np.uint8)
    write_ids(tmp_path / "ids.png", ids, colour_table(((0, 0, 0),)))
    np.testing.assert_array_equal(read_ids(tmp_path / "ids.png"), ids)


def test_a_mask_in_colour_is_refused(gradient, tmp_path):
    write_picture(tmp_path / "rgb.png", gradient)
    with pytest.raises(InputError, match="mode RGB"):
        read_ids(tmp_path / "rgb.png")


def write_half(path):
    with replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise ZeroDivisionError


def test_an_error_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_bytes(path, b"old")
    with pytest.raises(ZeroDivisionError):
        write_half(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_none_is_one_error(gradient):
    with pytest.raises(OutputError, match=r"cannot write /dev/full/a\.png"):
        write_picture(Path("/dev/full/a.png"), gradient)


def test_unwritable_places_are_found_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "a", Path("/proc/self/a")):
        with pytest.raises(OutputError, match="cannot write"):
            check_writable(path)
    check_writable(tmp_path / "new" / "a")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
