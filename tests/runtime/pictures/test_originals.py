"""What is read is never written over, by whatever name."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from edgeseg.devices import InputError
from edgeseg.runtime.cli import main
from edgeseg.runtime.pictures.originals import check_apart

REFUSED = "the original would be lost", "take these results for originals"


def run(model, *words):
    return CliRunner().invoke(main, ["run", str(model), *map(str, words)])


def contents(folder):
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with pictures, a video, and other names of them."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("photos/a.png", "photos/deep/b.jpg", "in.jpg"):
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (48, 64, 3), np.uint8)).save(path)
    code = cv2.VideoWriter.fourcc(*"mp4v")
    video = cv2.VideoWriter("clip.mp4", code, 10, (64, 48))
    for _ in range(4):
        video.write(rng.integers(0, 255, (48, 64, 3), np.uint8))
    video.release()
    shutil.copy("clip.mp4", "take.part.mp4")
    Path("link.jpg").symlink_to("in.jpg")
    Path("hard.jpg").hardlink_to("in.jpg")
    Path("album").symlink_to("photos", target_is_directory=True)
    Path("labels.txt").write_text("background\ndisc\nsquare\ntriangle\n")
    Path("other.mp4").hardlink_to("clip.mp4")
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ["in.jpg", "-o", "in.jpg"],
        ["in.jpg", "-o", "link.jpg"],
        ["link.jpg", "-o", "in.jpg"],
        ["in.jpg", "-o", "hard.jpg"],
        ["in.jpg", "-o", "photos/.././in.jpg"],
        ["in.jpg", "-o", "overlay:in.jpg"],
        ["image:in.jpg", "-o", "{here}/in.jpg"],
        ["in.jpg", "-o", "jsonl:in.jpg"],
        ["photos/a.png", "-o", "photos/"],
        ["photos/a.png", "-o", "masks:album"],
        ["photos", "-o", "photos"],
        ["photos/", "-o", "album/"],
        ["album", "-o", "masks:photos"],
        ["photos", "-o", "photos/deep/out"],
        ["photos", "-o", "album/new"],
        ["photos", "-o", "photos/new.png"],
        ["photos/*", "-o", "photos"],
        ["photos/**/*", "-o", "photos/out"],
        ["photos/**/*", "-o", "{here}/photos/deep"],
        ["phot?s/[!b].*", "-o", "."],
        ["pan:photos,frames=2", "-o", "photos"],
        ["clip.mp4", "-o", "clip.mp4"],
        ["clip.mp4", "-o", "video:./other.mp4"],
        ["take.part.mp4", "-o", "take.mp4"],
        ["in.jpg", "-o", "jsonl:labels.txt", "--labels", "labels.txt"],
        ["in.jpg", "-o", "jsonl:model.tflite"],
        ["in.jpg", "-o", "album/a.png", "--effect", "picture:photos/a.png"],
        ["photos", "-o", "photos", "--skip-existing"],
    ],
)
def test_an_output_that_is_read_is_refused_by_name(place, words, golden_model):
    shutil.copy(golden_model, "model.tflite")
    before = contents(place)
    done = run("model.tflite", *(word.format(here=place) for word in words))
    assert done.exit_code == 1, done.output
    assert len(done.output.splitlines()) == 1
    assert any(words in done.output for words in REFUSED), done.output
    assert contents(place) == before


@pytest.mark.parametrize(
    "words",
    [
        ["in.jpg", "-o", "in.png"],
        ["in.jpg", "-o", "."],
        ["photos", "-o", "photos-out"],
        ["photos/deep", "-o", "photos"],
        ["photos/**/*.jpg", "-o", "photos"],
        ["photos", "-o", "photos/found.jsonl"],
        ["clip.mp4", "-o", "clip-out.mp4"],
        ["in.jpg", "-o", "out", "-o", "masks:ids"],
    ],
)
def test_a_place_of_its_own_is_taken_twice(place, words, golden_model):
    before = contents(place)
    for _ in range(2):  # what the first run wrote is no source of the second
        done = run(golden_model, *words, "--json")
        assert done.exit_code == 0, done.output
        assert f'"pictures": {len(done.output) and _pictures(words)}' in done.output
    after = contents(place)
    assert {path: after[path] for path in before} == before


def _pictures(words):
    return {"photos": 2, "clip.mp4": 4}.get(words[0], 1)


def test_two_outputs_in_one_place_are_refused(place, golden_model):
    done = run(golden_model, "in.jpg", "-o", "out", "-o", "masks:./out/")
    assert done.exit_code == 1
    assert "write the same files" in done.output
    assert not Path("out").exists()


def test_a_configuration_is_read_too(place, golden_model):
    config = place / "camera.toml"
    config.write_text(
        f'model = "{golden_model}"\nsource = "in.jpg"\noutput = "jsonl:camera.toml"\n'
    )
    done = CliRunner().invoke(main, ["run", "--config", str(config)])
    assert done.exit_code == 1
    assert REFUSED[0] in done.output
    assert config.read_text().startswith("model")


def test_a_file_system_that_folds_case(place, golden_model):
    """Names in other letters are compared by what they lead to, not as text."""
    if not Path("IN.JPG").exists():  # a link does here what such a file system does
        Path("IN.JPG").symlink_to("in.jpg")
    done = run(golden_model, "in.jpg", "-o", "IN.JPG")
    assert done.exit_code == 1
    assert REFUSED[0] in done.output


def test_other_commands_keep_what_they_read(place, golden_model):
    shutil.copy(golden_model, "model.tflite")
    Path("data/images").mkdir(parents=True)
    Path("data/masks").mkdir()
    shutil.copy("in.jpg", "data/images/one.jpg")
    Image.fromarray(np.zeros((48, 64), np.uint8)).save("data/masks/one.png")
    shutil.copy("labels.txt", "data/labels.txt")
    before = contents(place)
    for words in (
        ["dataset", "data", "-o", "data/images/one.jpg"],
        ["dataset", "data", "--to", "data"],
        ["dataset", "data", "--to", "data/images/copy"],
        ["eval", "model.tflite", "data", "--json", "model.tflite"],
        ["eval", "model.tflite", "data", "--json", "model.tflite.json"],
        ["eval", "model.tflite", "data", "--json", "data/labels.txt"],
        ["eval", "model.tflite", "data", "--resume", "data/labels.txt"],
        ["bench", "model.tflite", "--quick", "--json", "model.tflite"],
        ["bench", "model.tflite", "in.jpg", "--quick", "--json", "hard.jpg"],
        ["reference", "model.tflite", "data", "-o", "data"],
        ["convert", "model.tflite", "-o", "./model.tflite", "--calibration", "photos"],
        ["finetune", "data", "-o", "data", "--from", "none"],
        ["finetune", "data", "-o", "data/new", "--from", "none"],
        ["report", "labels.txt", "-o", "labels.txt"],
    ):
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 1, (words, done.output)
        assert len(done.output.splitlines()) == 1, (words, done.output)
        assert contents(place) == before, words


def test_a_record_is_written_anew_in_the_folder_it_is_about(place, golden_model):
    Path("data/images").mkdir(parents=True)
    Path("data/masks").mkdir()
    shutil.copy("in.jpg", "data/images/one.jpg")
    Image.fromarray(np.zeros((48, 64), np.uint8)).save("data/masks/one.png")
    shutil.copy("labels.txt", "data/labels.txt")
    for _ in range(2):
        words = ["eval", str(golden_model), "data", "--json", "data/record.json"]
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, done.output


def test_what_is_not_there_is_in_no_way(tmp_path):
    check_apart(tmp_path / "new.tflite", tmp_path / "missing", "animals", None)
    check_apart(None, tmp_path)
    check_apart(tmp_path / "made.tflite", tmp_path)
    (tmp_path / "made.tflite").touch()
    check_apart(tmp_path / "made.tflite", tmp_path)
    with pytest.raises(InputError, match="expected a place outside of it"):
        check_apart(tmp_path / "sheet.jpg", tmp_path)
    with pytest.raises(InputError, match="expected a place outside of it"):
        check_apart(Path(os.path.relpath(tmp_path / "sub")), tmp_path)


@pytest.mark.parametrize("source", ["in.jpg", "photos", "photos/**/*", "clip.mp4"])
def test_results_of_a_board_replace_no_original_here(place, golden_model, source):
    from edgeseg.runtime.commands.run import run as command
    from edgeseg.runtime.remote.calls import CommandLine, run_call

    output = "photos" if source.startswith("photos") else source
    words = (str(golden_model), source, "-o", output)
    line = CommandLine(command, "edgeseg remote pi run", words)
    with pytest.raises(InputError, match="|".join(REFUSED)):
        run_call(None, line)  # before anything is sent
