"""What the READMEs print is run as it stands, on what ships with the project."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import inspect
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
import pytest
from readmes import FOLDERS, FRONT, READMES, Readme, words

import edgeseg.runtime.sinks
from edgeseg.converter.shipped import keras_file
from edgeseg.devices import DEVICES
from edgeseg.devices.support import support_markdown
from edgeseg.runtime.accuracy.open import DATASETS
from edgeseg.runtime.capture.open import SOURCES
from edgeseg.runtime.cli import main
from edgeseg.runtime.commands.camera_tables import cameras_in
from edgeseg.runtime.commands.config import load_config
from edgeseg.runtime.commands.run import run
from edgeseg.runtime.drawing.open_effect import EFFECTS
from edgeseg.runtime.drawing.overlay import colour_table
from edgeseg.runtime.output.open import SINKS, find_sink
from edgeseg.runtime.pictures.files import read_picture, write_ids, write_picture
from edgeseg.runtime.shipped import photo_folder
from edgeseg.runtime.sources.synthetic import LABELS, SyntheticSource

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 250  # lines of the first page

# The READMEs speak of a VOC model, a camera and half an hour of training; here are
# drawn shapes, scenes that come as a camera's would, and one epoch.
STAND_INS = {
    "--labels pascal-voc": "--labels labels.txt",
    " --labels ade20k-mlperf32": "",
    "--classes background,cat,dog,person": "--classes background,disc",
    "--classes person": "--classes disc",
    "run animals": "run model.tflite",
    "run voc": "run model.tflite",
    "ade20k.tflite": "model.tflite",
    "--from WEIGHTS --size 257 --minutes 30": "--from model.keras --epochs 1",
    "camera:0": "synthetic:64x48,live,frames=4",
    " -o window": " -o null",
}
CODE_STAND_INS = {
    '"animals"': '"model.tflite"',
    '"voc"': '"model.tflite"',
    '"camera:0"': '"synthetic:64x48,live,frames=4"',
    '"person"': '"disc"',
    "(257, 257)": "(65, 65)",
}
# blocks that have a test of their own below
ON_THEIR_OWN = {
    "An app with its own source and sink",
    "Frames for another program",
    "Add a sink",
    "Archives",  # tests/runtime/archive/test_archive.py
    "Android, iOS, MediaPipe",  # tests/converter/conversion/test_mediapipe.py
}

each = pytest.mark.parametrize("name", READMES)


def readme(name):
    return Readme(ROOT / name)


def chapter(folder, title=None):
    """Return a folder's README, or a section of it."""
    whole = readme(f"{folder}/README.md")
    return whole if title is None else whole.section(title)


def verb(line):
    return line.split()[1]


# The text


def test_the_first_page_is_short():
    assert len((ROOT / FRONT).read_text("utf-8").splitlines()) <= LONGEST


@each
def test_every_link_leads_somewhere(name):
    for link in readme(name).links:
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        path = ((ROOT / name).parent / place).resolve() if place else ROOT / name
        assert path.exists(), link
        assert path.is_relative_to(ROOT), link
        if anchor:
            assert anchor in Readme(path).anchors, link


@each
def test_no_two_headings_have_one_anchor(name):
    anchors = readme(name).anchors
    assert len(anchors) == len(set(anchors))


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_first_page_and_its_chapters_know_each_other(folder):
    assert f"{folder}/README.md" in readme(FRONT).links
    assert "../README.md#chapters" in chapter(folder).links


def test_a_link_an_anchor_and_a_heading_in_code_are_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A\n[b](c.md#d) ![e](f.jpg)\n```sh\n# g\n```\n## H, i - j: `k`\n")
    assert Readme(page).links == ["c.md#d", "f.jpg"]
    assert Readme(page).anchors == ["a", "h-i---j-k"]


# Commands, options and modules that are named


@each
def test_every_command_and_option_exists(name):
    page = readme(name)
    lines = [*page.commands, *page.mentions]
    assert lines or name == "tests/README.md"
    assert {line: bad for line in lines if (bad := unknown(words(line)))} == {}


def unknown(given):
    """Return the commands and options of a call that the command line does not have."""
    command, context = main, click.Context(main)
    options, skipped, missing = known(command, context), 0, []
    for word in given:
        if word.startswith("-") and word != "-":
            missing += [] if word.partition("=")[0] in options else [word]
        elif isinstance(command, click.Group) and not skipped:
            found = command.get_command(context, word)
            if found is None:
                return [*missing, word]
            command = found
            context = click.Context(command, parent=context)
            options |= known(command, context)
            if command.context_settings.get("ignore_unknown_options"):
                # what `remote` hands on is of the command of that name
                options |= known(main.get_command(context, word), context)
            if isinstance(command, click.Group):
                skipped = sum(isinstance(p, click.Argument) for p in command.params)
        else:
            skipped = max(0, skipped - 1)
    return missing


def known(command, context):
    return {name for param in command.get_params(context) for name in param.opts}


@pytest.mark.parametrize(
    ("line", "bad"),
    [
        ("edgeseg remote pi@pi.local bench m.tflite --quick -o b.json", []),
        ("edgeseg run animals camera:0 -o - | less --color", []),
        ("edgeseg walk", ["walk"]),
        ("edgeseg run animals camera:0 --speed 3", ["--speed"]),
        ("edgeseg remote pi@pi.local fly", ["fly"]),
        ("edgeseg remote pi@pi.local run animals camera:0 --speed 3", ["--speed"]),
    ],
)
def test_what_does_not_exist_is_seen(line, bad):
    assert unknown(words(line)) == bad


@each
def test_every_module_that_python_runs_exists(name):
    modules = re.findall(r"python3? -m\s+([\w.]+)", readme(name).text)
    assert [m for m in modules if importlib.util.find_spec(m) is None] == []


@each
def test_every_import_works(name):
    for code in readme(name).blocks("python"):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("edgeseg"):
                module = importlib.import_module(node.module)
                assert all(hasattr(module, alias.name) for alias in node.names)


# What is there to choose from


@pytest.mark.parametrize(
    ("plugins", "folder", "title"),
    [
        (SOURCES, "runtime", "Sources"),
        (SINKS, "runtime", "Outputs"),
        (EFFECTS, "runtime", "Effects"),
        (DEVICES, "devices", "Device strings"),
    ],
)
def test_everything_that_a_user_types_has_a_row(plugins, folder, title):
    by_path = {"folder", "image", "video", "jsonl"}
    by_path |= {"overlay"} if plugins is SINKS else set()
    rows = re.findall(r"^\| (`[^|]*) \|", chapter(folder, title).prose, re.MULTILINE)
    shown = {name for row in rows for name in re.findall(r"`([a-z0-9_]+)\b", row)}
    assert set(plugins.names()) - by_path <= shown


def test_every_layout_of_a_data_set_has_a_row():
    section = chapter("converter", "Data sets of other tools")
    rows = section.table("folder", "what is read", "where areas overlap")
    assert len(rows) == len(DATASETS.names())


def test_the_table_of_boards_is_the_one_that_doctor_uses():
    assert support_markdown().strip() in chapter("devices", "Boards").text


def test_the_configuration(tmp_path):
    path = tmp_path / "camera.toml"
    one, several = chapter("runtime", "Always on").blocks("toml")
    path.write_text(several, "utf-8")
    assert list(cameras_in(load_config(path, run))) == ["door", "yard"]
    path.write_text(one, "utf-8")
    values = load_config(path, run)
    assert values["outputs"][0].startswith(f"{tmp_path}/recordings/door-%Y")
    assert values["classes"] == "person,dog"


# The plan of the folders


def plugin_rows():
    columns = ("kind", "new file", "start from", "contract check")
    return chapter("tests", "How to add something").table(*columns)


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_every_folder_of_the_plan_exists():
    folders = set()
    for cell, _ in chapter("tests", "The floor plan").table("folder", "what is in it"):
        first, *others = quoted(cell)
        beside = first.partition("/")[0]  # `a/b`, `c` stands for a/b and a/c
        folders |= {first, *(o if "/" in o else f"{beside}/{o}" for o in others)}
    assert [name for name in sorted(folders) if not (ROOT / name).is_dir()] == []


def test_every_file_to_start_from_exists():
    files = [quoted(start) for _, _, start, _ in plugin_rows()]
    assert [name for (name,) in files if not (ROOT / name).is_file()] == []


def test_every_contract_check_can_be_called_as_it_is_shown():
    called = 0
    for _, _, _, cell in plugin_rows():
        call = re.fullmatch(r"`(edgeseg[\w.]*)\.(\w+)\(([\w, ]+)\)`", cell)
        if call is not None:
            check = getattr(importlib.import_module(call[1]), call[2])
            inspect.signature(check).bind(*call[3].split(","))
            called += 1
    assert called == 6


# What is run


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
    edgeseg_(folder, "edgeseg run model.tflite synthetic:64x48,frames=3 -o clip.mp4")
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


def test_a_data_set_is_shown_and_copied(mine):
    show, plain, for_cvat = chapter("converter", "Data sets of other tools").commands
    assert "40 pictures, all 160x120" in edgeseg_(mine, show)
    assert (mine / "sheet.jpg").is_file()
    assert edgeseg_(mine, plain)
    assert edgeseg_(mine, for_cvat)
    assert (mine / "plain" / "labels.txt").is_file()
    assert (mine / "for-cvat" / "labelmap.txt").is_file()


def test_a_model_is_installed_by_its_name(place, monkeypatch):
    monkeypatch.setenv("EDGESEG_MODELS", str(place / "models"))
    shutil.copy(place / "model.tflite", place / "door.tflite")
    digest = hashlib.sha256((place / "door.tflite").read_bytes()).hexdigest()
    first, start, *_ = chapter("runtime", "Installed models").commands
    assert "door is now" in edgeseg_(place, first.replace("HEX", digest))
    edgeseg_(place, start.replace(" --web", ""))


def edgeseg_(folder, line):
    """Run a call of edgeseg, and return what it printed."""
    for text, stand_in in STAND_INS.items():
        line = line.replace(text, stand_in)
    program = [str(Path(sys.executable).with_name("edgeseg"))]
    done = subprocess.run(
        program + shlex.split(line)[1:], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{line}\n{done.stderr}"
    return done.stdout


def test_the_six_commands(place):
    lines = readme(FRONT).section("The six commands").commands
    verbs = ["convert", "check", "run", "eval", "bench", "remote"]
    assert [verb(line) for line in lines] == verbs
    _, check, run, evaluate, bench, remote = lines
    assert "Edge TPU" in edgeseg_(place, check)
    assert edgeseg_(place, run)
    assert len(list((place / "overlays").iterdir())) == 32
    assert edgeseg_(place, evaluate)
    # these are run with their chapters' other commands, and with a board's tests
    assert bench in chapter("benchmarks", "Measuring it yourself").commands
    boards = chapter("runtime", "Remote boards").commands
    assert remote in boards


def test_the_conversion(place):
    pytest.importorskip("tensorflow", reason="needs the extra `convert`")
    line = readme(FRONT).section("The six commands").commands[0]
    assert "int8" in edgeseg_(place, line)
    assert line in chapter("converter").commands


def test_the_demo(place):
    if not keras_file().exists():
        pytest.skip(f"the model that ships is not in this checkout: {keras_file()}")
    assert readme(FRONT).commands[0] == "edgeseg demo"
    assert "person" in edgeseg_(place, "edgeseg demo")


def test_a_run_of_photos_a_clip_and_a_camera(place):
    camera = readme(FRONT).commands[1:3]
    assert [" --web" in line for line in camera] == [True, False]
    photos, clip, page = chapter("runtime").commands[:3]
    assert page == camera[0]
    for line in (camera[1], photos, clip):
        (place / "overlay.mp4").unlink(missing_ok=True)
        assert edgeseg_(place, line)
        assert (place / "overlay.mp4").exists() or line == photos


def test_what_is_in_a_model_file(place):
    (line,) = chapter("runtime", "The command line").commands
    assert "sha256" in edgeseg_(place, line)


@pytest.mark.long
def test_the_commands_that_measure(place):
    pytest.importorskip("tensorflow", reason="needs the extra `convert`")
    for name in ("a.tflite", "b.tflite"):
        shutil.copy(place / "model.tflite", place / name)
    (place / "DATASET").symlink_to(place / "VOC2012")
    lines = chapter("benchmarks", "Measuring it yourself").commands
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
        assert edgeseg_(place, line) or verb(line) == "report"
    assert "bench.json" in (place / "page.html").read_text("utf-8")


@pytest.mark.long
def test_ones_own_classes_from_folder_to_board(mine):
    pytest.importorskip("tensorflow", reason="needs the extra `convert`")
    lines = chapter("converter", "Your own classes").commands
    first, *others, through_int8 = lines
    assert [verb(line) for line in lines[:4]] == ["finetune", "convert", "eval", "run"]
    assert "validation mIoU" in edgeseg_(mine, first)
    assert (mine / "trained/labels.txt").read_text() == "background\nlid\ncrate\n"
    for line in others:
        assert edgeseg_(mine, line)
    assert read_picture(mine / "overlay.png").shape == (120, 160, 3)
    # the second phase is tested with the trainings: here its line must only be taken
    assert "--int8 mine/images" in through_int8


@pytest.mark.long
def test_the_calls_of_pixellib(place):
    calls = chapter("runtime", "From PixelLib").mentions
    lines = [line for line in calls if verb(line) == "run"]
    assert len(lines) > 8
    for line in lines:
        assert edgeseg_(place, line)


# Python


PYTHON = [
    pytest.param(code, id=f"{name}, {title}, {number}")
    for name in READMES
    for number, (title, code) in enumerate(readme(name).titled_blocks("python"))
    if title not in ON_THEIR_OWN
]


@pytest.mark.parametrize("code", PYTHON)
def test_a_block_of_python_runs(code, place, monkeypatch):
    if "edgeseg.converter" in code:
        pytest.importorskip("tensorflow", reason="needs the extra `convert`")
    monkeypatch.chdir(place)
    for text, stand_in in CODE_STAND_INS.items():
        code = code.replace(text, stand_in)
    frame = read_picture(Path("sample.jpg"))
    names = {"frame": frame, "frames": [(0.0, frame), (0.5, frame)]}
    exec(code, names)
    if "result = segmenter.segment(frame)" in code:
        assert names["result"].ids.shape == frame.shape[:2]
        assert set(names["result"].areas) > {0}
    if "output" in names:  # what an effect has drawn
        assert names["output"].shape == frame.shape
        assert (names["output"] != frame).any()


def test_the_app_with_its_own_source_and_sink(tmp_path, monkeypatch, capsys):
    section = chapter("runtime", "An app with its own source and sink")
    (code,) = section.blocks("python")
    assert len([line for line in code.splitlines() if line.strip()]) == 20
    shutil.copy(photo_folder() / "astronaut.jpg", tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert capsys.readouterr().out == "1.0 s: somebody is at the door\n"


def test_the_sink_and_its_test_are_two_new_files(tmp_path, monkeypatch, capsys):
    sink, test = chapter("tests", "Add a sink").blocks("python")
    (tmp_path / "bell.py").write_text(sink, "utf-8")
    package = edgeseg.runtime.sinks
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    declared = find_sink("bell:person").kind  # read without an import
    names = {}
    exec(test, names)
    try:
        names["test_the_bell_rings_each_time_the_class_appears"](capsys)
        names["test_a_class_that_the_model_lacks_is_refused"]()
        assert declared == sys.modules[f"{package.__name__}.bell"].ADDRESS
    finally:
        del sys.modules[f"{package.__name__}.bell"], package.bell


def test_the_shared_frames_in_python(place):
    line = "run model.tflite synthetic:64x48,live -o shared:door --seconds 4"
    program = [str(Path(sys.executable).with_name("edgeseg")), *line.split()]
    (code,) = chapter("runtime", "Frames for another program").blocks("python")
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
