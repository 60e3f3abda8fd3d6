"""The README's commands are run as they stand, on what ships with the project."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from edgeseg.converter.shipped import keras_file
from edgeseg.devices.support import support_markdown
from edgeseg.runtime.commands.config import load_config
from edgeseg.runtime.commands.run import run
from edgeseg.runtime.drawing.overlay import colour_table
from edgeseg.runtime.pictures.files import read_picture, write_ids, write_picture
from edgeseg.runtime.sources.synthetic import LABELS, SyntheticSource

# The README speaks of a VOC model, a camera and half an hour of training; here are
# drawn shapes, scenes that come as a camera's would, and one epoch.
STAND_INS = {
    "--labels pascal-voc": "--labels labels.txt",
    " --labels ade20k-mlperf32": "",
    "--classes background,cat,dog,person": "--classes background,disc",
    "--classes person": "--classes disc",
    "run animals": "run model.tflite",
    "ade20k.tflite": "model.tflite",
    "--from WEIGHTS --size 257 --minutes 30": "--from model.keras --epochs 1",
    "camera:0": "synthetic:64x48,live,frames=4",
    " -o window": " -o null",
}


def section(root, title):
    text = (root / "README.md").read_text("utf-8")
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def chapter(root, title):
    """Return the commands of a chapter, without what a comment says of them."""
    found = re.findall(r"^edgeseg .*$", section(root, title), re.MULTILINE)
    return [re.split(r"\s#", line)[0].strip() for line in found]


def block(root, title, language):
    """Return a chapter's block of code."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", section(root, title), re.DOTALL)
    return found


def verb(line):
    return line.split()[1]


@pytest.fixture(scope="module")
def commands(root):
    return chapter(root, "The six commands")


@pytest.fixture(scope="module")
def place(tmp_path_factory, shapes_keras, golden_model):
    folder = tmp_path_factory.mktemp("readme")
    shutil.copy(shapes_keras, folder / "model.keras")
    shutil.copy(golden_model, folder / "model.tflite")
    (folder / "labels.txt").write_text("\n".join(LABELS))
    source = SyntheticSource("160x120,still,seed=1,frames=32")
    voc = folder / "VOC2012"
    for index, name in enumerate(source.names()):
        frame, ids = source.scene(index)
        write_picture(folder / "photos" / f"{name}.jpg", frame)
        write_picture(voc / "JPEGImages" / f"{name}.jpg", frame)
        write_ids(voc / "SegmentationClass" / f"{name}.png", ids, colour_table(()))
    (voc / "val.txt").write_text("\n".join(source.names()))
    shutil.copy(folder / "labels.txt", voc / "labels.txt")
    for name in ("photo.jpg", "sample.jpg", "beach.jpg"):
        write_picture(folder / name, source.scene(0)[0])
    edgeseg(folder, "edgeseg run model.tflite synthetic:64x48,frames=3 -o clip.mp4")
    return folder


@pytest.fixture(scope="module")
def mine(place):
    """Forty pictures with two made-up classes, as the README says to lay them out."""
    source = SyntheticSource("160x120,still,seed=9,frames=40")
    made_up = np.array([0, 1, 2, 0], np.uint8)  # discs are lids, squares are crates
    for index, name in enumerate(source.names()):
        frame, ids = source.scene(index)
        write_picture(place / "mine" / "images" / f"{name}.jpg", frame)
        masks = place / "mine" / "masks"
        write_ids(masks / f"{name}.png", made_up[ids], colour_table(()))
    (place / "mine" / "labels.txt").write_text("background\nlid\ncrate\n")
    return place


def edgeseg(folder, line):
    for text, stand_in in STAND_INS.items():
        line = line.replace(text, stand_in)
    program = [str(Path(sys.executable).with_name("edgeseg"))]
    done = subprocess.run(
        program + shlex.split(line)[1:], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{line}\n{done.stderr}"
    return done.stdout


def test_the_commands_that_need_no_tensorflow(commands, place):
    lines = [line for line in commands if verb(line) in ("info", "run", "eval")]
    assert len(lines) == 4
    for line in lines:
        assert edgeseg(place, line)
    assert len(list((place / "overlays").iterdir())) == 32
    assert (place / "overlay.mp4").stat().st_size > 0


def test_the_conversion(commands, place):
    pytest.importorskip("tensorflow", reason="needs the extra `convert`")
    (line,) = [line for line in commands if verb(line) == "convert"]
    assert "int8" in edgeseg(place, line)


def test_the_demo(commands, place):
    if not keras_file().exists():
        pytest.skip(f"the model that ships is not in this checkout: {keras_file()}")
    (line,) = [line for line in commands if verb(line) == "demo"]
    assert "person" in edgeseg(place, line)


def test_the_commands_that_measure(root, place):
    pytest.importorskip("tensorflow", reason="needs the extra `convert`")
    for name in ("a.tflite", "b.tflite"):
        shutil.copy(place / "model.tflite", place / name)
    (place / "DATASET").symlink_to(place / "VOC2012")
    lines = chapter(root, "Measuring it yourself")
    assert [verb(line) for line in lines] == [
        "eval",
        "reference",
        "eval",
        "parity",
        "compare",
        "bench",
        "report",
    ]
    for line in lines:
        assert edgeseg(place, line) or verb(line) == "report"
    assert "bench.json" in (place / "page.html").read_text("utf-8")


def test_ones_own_classes_from_folder_to_board(root, commands, mine):
    pytest.importorskip("tensorflow", reason="needs the extra `convert`")
    lines = chapter(root, "Your own classes")
    first, *others, through_int8 = lines
    assert [verb(line) for line in lines[:4]] == ["finetune", "convert", "eval", "run"]
    assert first in commands
    assert "validation mIoU" in edgeseg(mine, first)
    assert (mine / "trained/labels.txt").read_text() == "background\nlid\ncrate\n"
    for line in others:
        assert edgeseg(mine, line)
    assert read_picture(mine / "overlay.png").shape == (120, 160, 3)
    # the second phase is tested with the trainings: here its line must only be taken
    assert "--int8 mine/images" in through_int8


def test_the_calls_of_pixellib(root, place):
    table = section(root, "From PixelLib")
    lines = re.findall(r"`(edgeseg run [^`]*)`", table)
    assert len(lines) > 8
    for line in lines:
        assert edgeseg(place, line)


def test_the_frame_in_python(root, place, monkeypatch):
    monkeypatch.chdir(place)
    code = block(root, "From PixelLib", "python").replace("person", "disc")
    names = {"frame": read_picture(Path("sample.jpg"))}
    exec(code, names)
    assert names["output"].shape == names["frame"].shape
    assert (names["output"] != names["frame"]).any()


def test_the_shared_frames_in_python(root, place):
    line = "run model.tflite synthetic:64x48,live -o shared:door --seconds 4"
    program = [str(Path(sys.executable).with_name("edgeseg")), *line.split()]
    code = block(root, "Frames for another program", "python")
    path = Path("/dev/shm/edgeseg-door")
    if not path.parent.is_dir() or path.exists():
        pytest.skip("needs /dev/shm, and nobody who shares frames as `door`")
    seen = []
    kept = code.replace("frame.picture ", "seen.append(frame.picture) ")
    with subprocess.Popen(program, cwd=place, stderr=subprocess.DEVNULL) as writer:
        while not path.exists():
            assert writer.poll() is None
            time.sleep(0.01)
        exec(kept, {"seen": seen})  # its loop ends with the run
        assert writer.wait(60) == 0
    assert {picture.shape for picture in seen} == {(48, 64, 3)}


def test_the_configuration(root, tmp_path):
    path = tmp_path / "camera.toml"
    path.write_text(block(root, "Always on", "toml"), "utf-8")
    values = load_config(path, run)
    assert values["outputs"][0] == str(tmp_path / "recordings" / "door.mkv")
    assert values["classes"] == "person,dog"


def test_every_effect_is_told(root):
    from edgeseg.runtime.drawing.open_effect import EFFECTS

    told = re.findall(r"^\| `([a-z]+)[`:]", section(root, "Live"), re.MULTILINE)
    assert set(EFFECTS.names()) <= set(told)


def test_the_table_of_boards_is_the_one_that_doctor_uses(root):
    assert support_markdown().strip() in section(root, "Boards")
