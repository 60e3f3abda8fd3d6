"""The README's commands are run as they stand, on what ships with the project."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeseg.runtime.overlay import colour_table
from edgeseg.runtime.pictures import write_ids, write_picture
from edgeseg.runtime.sources.synthetic import LABELS, SyntheticSource

# The README speaks of a VOC model; what ships knows drawn shapes.
STAND_INS = {
    "--labels pascal-voc": "--labels labels.txt",
    "--classes background,cat,dog,person": "--classes background,disc",
}


def chapter(root, title):
    """Return the commands of a chapter, without what a comment says of them."""
    text = (root / "README.md").read_text("utf-8")
    lines = text.split(f"## {title}")[1].split("\n## ")[0]
    found = re.findall(r"^edgeseg .*$", lines, re.MULTILINE)
    return [line.split("#")[0].strip() for line in found]


@pytest.fixture(scope="module")
def commands(root):
    return chapter(root, "The five commands")


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
    edgeseg(folder, "edgeseg run model.tflite synthetic:64x48,frames=3 -o clip.mp4")
    return folder


def edgeseg(folder, line):
    program = [str(Path(sys.executable).with_name("edgeseg"))]
    done = subprocess.run(
        program + line.split()[1:], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{line}\n{done.stderr}"
    return done.stdout


def test_the_commands_that_need_no_tensorflow(commands, place):
    lines = [line for line in commands if line.split()[1] in ("info", "run", "eval")]
    assert len(lines) == 4
    for line in lines:
        for text, stand_in in STAND_INS.items():
            line = line.replace(text, stand_in)
        assert edgeseg(place, line)
    assert len(list((place / "overlays").iterdir())) == 32
    assert (place / "overlay.mp4").stat().st_size > 0


def test_the_commands_that_need_tensorflow(commands, place):
    pytest.importorskip("tensorflow", reason="needs the extra `convert`")
    lines = [line for line in commands if line.split()[1] in ("convert", "demo")]
    assert len(lines) == 2
    for line in lines:
        for text, stand_in in STAND_INS.items():
            line = line.replace(text, stand_in)
        assert "int8" in edgeseg(place, line)


def test_the_commands_that_measure(root, place):
    pytest.importorskip("tensorflow", reason="needs the extra `convert`")
    for name in ("a.tflite", "b.tflite"):
        shutil.copy(place / "model.tflite", place / name)
    (place / "DATASET").symlink_to(place / "VOC2012")
    lines = chapter(root, "Measuring it yourself")
    assert [line.split()[1] for line in lines] == [
        "eval",
        "reference",
        "eval",
        "parity",
        "compare",
        "bench",
        "report",
    ]
    for line in lines:
        assert edgeseg(place, line) or line.split()[1] == "report"
    assert "bench.json" in (place / "page.html").read_text("utf-8")
