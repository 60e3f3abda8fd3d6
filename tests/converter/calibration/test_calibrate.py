"""Which pictures may decide the ranges of a model, and which may not."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from edgeseg.converter.calibration import calibrate
from edgeseg.converter.calibration.calibrate import calibration_pictures
from edgeseg.converter.calibration.picture_check import measure_texture
from edgeseg.devices import InputError
from edgeseg.runtime.pictures.files import read_picture
from edgeseg.runtime.sources.synthetic import SyntheticSource


def scene(index):
    return SyntheticSource("96x72,still,seed=1").scene(index)[0]


@pytest.fixture(scope="module")
def forty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forty")
    for index in range(40):
        Image.fromarray(scene(index)).save(folder / f"{index:03d}.png")
    return folder


@pytest.fixture
def folder(forty, tmp_path):
    return shutil.copytree(forty, tmp_path / "photos")


def noise(kind, seed, hw=(72, 96)):
    rng = np.random.default_rng(seed)
    if kind == "uniform":
        return rng.integers(0, 256, (*hw, 3), dtype=np.uint8)
    if kind == "grey":
        return np.repeat(rng.integers(0, 256, (*hw, 1), dtype=np.uint8), 3, axis=2)
    if kind == "colour only":  # of equal brightness everywhere
        red = rng.integers(0, 200, hw)
        green = np.round((140 - 0.299 * red) / 0.587)
        return np.stack([red, green, np.zeros(hw)], 2).clip(0, 255).astype(np.uint8)
    return rng.normal(127, 40, (*hw, 3)).clip(0, 255).astype(np.uint8)


def as_jpeg(frame, quality):
    file = io.BytesIO()
    Image.fromarray(frame).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file).convert("RGB"))


def plain(level, spread=0.0, seed=0, hw=(72, 96)):
    grain = np.random.default_rng(seed).normal(level, spread, (*hw, 3))
    return grain.round().clip(0, 255).astype(np.uint8)


def test_photos_pass(voc):
    photos = sorted((voc / "calibration" / "JPEGImages").iterdir())
    measured = [measure_texture(read_picture(path)) for path in photos]
    assert {texture.fault for texture in measured} == {None}
    # the figures in the documentation of the check
    correlations = [texture.correlation for texture in measured]
    np.testing.assert_allclose(
        [min(correlations), np.median(correlations), max(correlations)],
        [0.73, 0.90, 0.98],
        atol=0.01,
    )
    np.testing.assert_allclose(min(t.contrast for t in measured), 13.2, atol=0.2)


def test_drawn_scenes_pass():
    source = SyntheticSource("320x240,still,seed=1,frames=64")
    faults = {measure_texture(c.frame).fault for c in source.captures()}
    assert faults == {None}


@pytest.mark.parametrize("hw", [(64, 64), (129, 257), (480, 640)])
@pytest.mark.parametrize("kind", ["uniform", "grey", "gaussian"])
@pytest.mark.parametrize("quality", [None, 95, 75, 30])
def test_noise_is_noise_at_any_size_also_as_jpeg(hw, kind, quality):
    frame = noise(kind, 3, hw)
    texture = measure_texture(frame if quality is None else as_jpeg(frame, quality))
    assert texture.fault == "noise"
    np.testing.assert_allclose(texture.correlation, 0, atol=0.3)


@pytest.mark.parametrize("quality", [None, 75, 30])
def test_noise_in_colour_alone_is_noise(quality):
    frame = noise("colour only", 3, (480, 640))
    texture = measure_texture(frame if quality is None else as_jpeg(frame, quality))
    assert texture.fault == "noise"


def test_noise_of_a_large_camera_is_noise_though_averaging_flattens_it():
    texture = measure_texture(noise("gaussian", 0, (1500, 2000)))
    assert texture.fault == "noise"
    assert texture.contrast < 2


@pytest.mark.parametrize("spread", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("level", [0, 130, 255])
def test_one_colour_is_constant_sensor_noise_or_not(level, spread):
    texture = measure_texture(plain(level, spread, hw=(480, 640)))
    assert texture.fault == "constant"


def test_a_photo_with_sensor_noise_is_a_photo():
    frame = SyntheticSource("640x480,still,seed=1").scene(0)[0]
    grain = np.random.default_rng(0).normal(0, 25, frame.shape)
    assert measure_texture((frame + grain).clip(0, 255).astype(np.uint8)).fault is None


@pytest.mark.parametrize("hw", [(1, 1), (1, 500), (500, 1), (2, 3)])
def test_slivers_are_measured_without_a_warning(hw):
    assert measure_texture(plain(90, hw=hw)).fault == "constant"


def test_all_of_a_small_folder(folder):
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_text("no picture")
    (folder / "sub.png").mkdir()
    chosen = calibration_pictures(folder)
    assert [path.name for path in chosen.paths] == [f"{i:03d}.png" for i in range(40)]
    assert len(chosen) == chosen.found == 40


def test_many_pictures_are_thinned_out_evenly_and_few_are_decoded(
    tmp_path, monkeypatch
):
    for index in range(250):
        small = Image.fromarray(scene(index)).resize((24, 18))
        small.save(tmp_path / f"{index:03d}.png")
    read = []

    def counting(path):
        read.append(path.name)
        return read_picture(path)

    monkeypatch.setattr("edgeseg.converter.calibration._choice.read_picture", counting)
    chosen = calibration_pictures(tmp_path)
    assert len(chosen) == len(read) == 64
    assert chosen.paths[1].name == "003.png"
    assert chosen.paths[-1].name == "246.png"
    assert chosen.found == 250


def test_a_bad_picture_is_replaced_by_its_neighbour(tmp_path, monkeypatch):
    monkeypatch.setattr(calibrate, "MOST", 40)
    for index in range(80):
        Image.fromarray(scene(index)).save(tmp_path / f"{index:03d}.png")
    Image.fromarray(plain(0)).save(tmp_path / "004.png")
    shutil.copy(tmp_path / "002.png", tmp_path / "010.png")
    chosen = calibration_pictures(tmp_path)
    names = [path.name for path in chosen.paths]
    assert names[:6] == [f"{i:03d}.png" for i in (0, 2, 5, 6, 8, 11)]
    assert (chosen.constant, chosen.duplicates) == (
        ("004.png",),
        (("010.png", "002.png"),),
    )


def test_copies_are_dropped_by_bytes_and_by_pixels(folder):
    shutil.copy(folder / "003.png", folder / "copy.png")
    Image.open(folder / "005.png").save(folder / "pixels.bmp")
    chosen = calibration_pictures(folder)
    assert len(chosen) == 40
    assert chosen.duplicates == (("copy.png", "003.png"), ("pixels.bmp", "005.png"))


def test_copies_do_not_make_a_set(forty, tmp_path):
    for index in range(40):
        shutil.copy(forty / f"{index % 31:03d}.png", tmp_path / f"{index}.png")
    with pytest.raises(InputError, match=r"at least 32 .*got 31 .*9 copies"):
        calibration_pictures(tmp_path)


def test_too_few(forty, tmp_path):
    for path in sorted(forty.iterdir())[:3]:
        shutil.copy(path, tmp_path)
    with pytest.raises(InputError, match=r"at least 32 pictures.*got 3"):
        calibration_pictures(tmp_path)


def test_no_folder(tmp_path):
    with pytest.raises(InputError, match="no calibration folder"):
        calibration_pictures(tmp_path / "nowhere")


def test_an_unreadable_picture_is_named(folder):
    content = (folder / "007.png").read_bytes()
    (folder / "007.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"cannot read picture .*007\.png"):
        calibration_pictures(folder)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_folder_of_noise_is_refused(tmp_path, suffix):
    for index in range(40):
        Image.fromarray(noise("uniform", index)).save(
            tmp_path / f"{index:02d}.{suffix}"
        )
    with pytest.raises(InputError, match=rf"40 of 40 .*noise.*00\.{suffix}, .*\.\.\."):
        calibration_pictures(tmp_path)


def test_noise_among_photos_is_refused(folder):
    Image.fromarray(noise("gaussian", 0)).save(folder / "snow.png")
    with pytest.raises(InputError, match=r"1 of 41 .*noise, no photos \(snow\.png\)"):
        calibration_pictures(folder)


def test_a_few_constant_frames_are_left_out_and_told(folder):
    Image.fromarray(plain(0, 1.0)).save(folder / "black.png")
    chosen = calibration_pictures(folder)
    assert len(chosen) == 40
    assert chosen.manifest()["constant"] == ["black.png"]


def test_many_constant_frames_are_refused(folder):
    for index in range(6):
        Image.fromarray(plain(10 * index)).save(folder / f"black{index}.png")
    with pytest.raises(InputError, match=r"6 of 46 .*one colour \(black0\.png"):
        calibration_pictures(folder)


def test_ids_of_the_evaluation_are_refused(folder):
    with pytest.raises(InputError, match=r"2 pictures .*split \(003\.png, 017\.png\)"):
        calibration_pictures(folder, evaluation_ids=["017", "003", "900"])
    assert calibration_pictures(folder, evaluation_ids=["900"]).evaluation_ids == 1


def test_bytes_of_the_evaluation_are_refused_under_any_name(folder, tmp_path):
    other = tmp_path / "val_1.png"
    shutil.copy(folder / "012.png", other)
    with pytest.raises(InputError, match=r"evaluation split \(012\.png\)"):
        calibration_pictures(folder, evaluation_pictures=[other])


def test_the_manifest_says_what_was_used(folder):
    manifest = calibration_pictures(folder).manifest()
    assert manifest == calibration_pictures(folder).manifest()
    assert json.loads(json.dumps(manifest)) == manifest
    assert (manifest["found"], manifest["used"]) == (40, 40)
    assert manifest["pictures"][0]["name"] == "000.png"
    assert manifest["pictures"][0]["size"] == [96, 72]
    assert len({picture["sha256"] for picture in manifest["pictures"]}) == 40


def test_no_val_picture_is_in_the_calibration_folder(voc):
    ids = (voc / "val" / "val.txt").read_text().split()
    chosen = calibration_pictures(
        voc / "calibration" / "JPEGImages",
        evaluation_ids=ids,
        evaluation_pictures=sorted((voc / "val" / "JPEGImages").iterdir()),
    )
    assert (len(chosen), chosen.found, chosen.evaluation_ids) == (64, 120, 225)
    assert not chosen.duplicates
