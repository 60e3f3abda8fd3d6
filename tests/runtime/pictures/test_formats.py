"""Pictures that are not called what they are, and formats beside the usual ones."""

from __future__ import annotations

import importlib
import shutil
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, features

from edgeseg.devices import InputError
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.cli import main
from edgeseg.runtime.pictures import formats
from edgeseg.runtime.pictures.files import read_picture, size_hw
from edgeseg.runtime.pictures.formats import left_out, picture_format

ORIENTATION, SIDEWAYS = 0x0112, 6


def picture(width=64, height=40):
    rows = np.linspace(0, 255, height, dtype=np.uint8)[:, None, None]
    return Image.fromarray(np.broadcast_to(rows, (height, width, 3)).copy())


def turned(path, kind, **settings):
    exif = Image.Exif()
    exif[ORIENTATION] = SIDEWAYS
    picture().save(path, kind, exif=exif, **settings)
    return path


@pytest.fixture
def without_heif(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    find = importlib.util.find_spec

    def found(name, package=None):
        return None if name == "pillow_heif" else find(name, package)

    monkeypatch.setattr(formats.importlib.util, "find_spec", found)


@pytest.fixture
def heif():
    return pytest.importorskip("pillow_heif", reason="needs the extra `heif`")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("name", ["photo", "photo.bin", "IMG.0815", "clip.mp4"])
def test_a_picture_without_its_suffix_is_upright(tmp_path, kind, name):
    path = turned(tmp_path / name, kind)
    with open_source(str(path)) as source:
        (capture,) = source.captures()
    assert capture.frame.shape == (64, 40, 3)
    with pytest.raises(InputError, match="expected a video"):
        open_source(f"video:{path}")


def test_other_files_are_no_pictures(tmp_path, root):
    for number, content in enumerate((b"", b"\xff", b"RIFF\0\0\0\0AVI ", b"GIF89a")):
        path = tmp_path / f"{number}"
        path.write_bytes(content)
        assert picture_format(path) is None
    assert picture_format(root / "tests/golden/video/editlist.mp4") is None
    assert picture_format(tmp_path / "missing") is None
    assert picture_format(tmp_path) is None


def test_a_tiled_heic_is_read_whole(heif, root, tmp_path):
    grid = root / "tests/golden/grid.heic"
    frame = read_picture(grid)
    assert frame.shape == (1024, 1024, 3)
    assert size_hw(grid) == (1024, 1024)
    # phones call them .jpg, too
    shutil.copy(grid, tmp_path / "IMG_1.jpg")
    shutil.copy(grid, tmp_path / "IMG_2.HEIC")
    with open_source(str(tmp_path)) as source:
        assert [c.frame.shape for c in source.captures()] == [(1024, 1024, 3)] * 2
    with pytest.raises(InputError, match=r"a picture \(HEIC\), expected a video"):
        open_source(f"video:{grid}")


def test_a_damaged_heic_is_one_line(heif, root, tmp_path):
    content = (root / "tests/golden/grid.heic").read_bytes()
    path = tmp_path / "a.heic"
    for end in (12, 40, 400, len(content) // 2, len(content) - 5):
        path.write_bytes(content[:end])
        with pytest.raises(InputError, match=r"a\.heic") as caught:
            read_picture(path)
        assert len(str(caught.value).splitlines()) == 1


@pytest.mark.usefixtures("without_heif")
@pytest.mark.parametrize("name", ["grid.heic", "grid", "grid.jpg", "grid.mov"])
def test_without_the_extra_a_heic_is_refused_by_name(
    root, tmp_path, golden_model, name
):
    path = tmp_path / name
    shutil.copy(root / "tests/golden/grid.heic", path)
    done = CliRunner().invoke(main, ["run", str(golden_model), str(path)])
    assert done.exit_code == 1
    assert len(done.output.splitlines()) == 1
    assert "pip install 'edgeseg[heif]'" in done.output


def test_avif_and_jpeg_2000_are_read_where_pillow_can(tmp_path):
    for feature, name in (("avif", "a.avif"), ("jpg_2000", "a.jp2")):
        known = {**features.modules, **features.codecs}
        if feature not in known or not features.check(feature):
            continue
        picture().save(tmp_path / name)
        assert read_picture(tmp_path / name).shape == (40, 64, 3)
        with open_source(str(tmp_path / name)) as source:
            assert len(list(source.captures())) == 1


def test_an_avif_that_pillow_cannot_read_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "_pillow_has", lambda feature: False)
    path = tmp_path / "a.avif"
    path.write_bytes(b"\0\0\0\x20ftypavif" + bytes(40))
    with pytest.raises(InputError, match="pip install -U pillow"):
        read_picture(path)


@pytest.mark.usefixtures("without_heif")
def test_what_a_folder_holds_beside_is_counted_in_one_line(tmp_path, root, caplog):
    picture().save(tmp_path / "a.png")
    picture().save(tmp_path / "b.gif")
    for name in ("c.HEIC", "deep/d.heic", "e.cr2", "f.txt", ".g.heic"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        shutil.copy(root / "tests/golden/grid.heic", path)
    with open_source(str(tmp_path)) as source:
        assert source.names() == ("a", "b")
        assert len(list(source.captures())) == 2
    (said,) = caplog.records
    message = said.getMessage()
    assert message.startswith(f"{tmp_path}: left out are 2 .heic, 1 .cr2: pip install")
    (tmp_path / "a.png").unlink()
    (tmp_path / "b.gif").unlink()
    with pytest.raises(InputError, match=r"got 2 \.heic, 1 \.cr2: pip install"):
        open_source(str(tmp_path))


def test_nothing_is_said_of_other_files(tmp_path):
    assert left_out(tmp_path / name for name in ("a.jpg", "b.txt", "c", "d.mp4")) == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [("a.png", "3 frames"), ("a.webp", "3 frames"), ("a.tiff", "3 pages")],
)
def test_the_first_of_several_pictures_is_used_and_told(tmp_path, caplog, name, words):
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]
    first, *others = [Image.new("RGB", (32, 32), colour) for colour in colours]
    kept = {"lossless": True} if name.endswith("webp") else {}
    path = tmp_path / name
    first.save(path, save_all=True, append_images=others, duration=100, **kept)
    assert tuple(read_picture(path)[5, 5]) == colours[0]
    (said,) = caplog.records
    assert said.getMessage() == f"{path} has {words}: the first one is used"


def test_the_further_pictures_of_a_camera_are_no_animation(tmp_path, caplog):
    picture().save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[picture()])
    assert read_picture(tmp_path / "a.jpg").shape == (40, 64, 3)
    assert not caplog.records
