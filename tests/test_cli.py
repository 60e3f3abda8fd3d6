"""The command line as a user meets it: real processes, exit codes, one-line errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from edgeseg.runtime import open_source
from edgeseg.runtime.pictures.files import read_ids, read_picture, write_picture

COMMANDS = [
    "bench",
    "check",
    "compare",
    "compile",
    "convert",
    "demo",
    "devices",
    "doctor",
    "finetune",
    "service",
    "eval",
    "fetch",
    "info",
    "parity",
    "reference",
    "remote",
    "report",
    "run",
]


EDGESEG = (sys.executable, "-c", "from edgeseg.runtime.cli import main; main()")


def edgeseg(*arguments, cwd=None):
    command = list(EDGESEG)
    return subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, cwd=cwd
    )


def assert_one_line_error(done, *words):
    assert done.returncode == 1, done.stderr
    errors = [line for line in done.stderr.splitlines() if line[:1] != "["]
    assert len(errors) == 1
    assert errors[0].startswith("Error: ")
    for word in words:
        assert word in errors[0]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    with open_source("synthetic:96x64,frames=3,still") as source:
        for capture in source.captures():
            write_picture(folder / "sub" / f"{capture.name}.png", capture.frame)
    return folder


def test_help_lists_every_command():
    done = edgeseg("--help")
    assert done.returncode == 0
    listed = done.stdout.split("Commands:")[1].split()
    assert all(command in listed for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    done = edgeseg(command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage:")
    assert "\\b" not in done.stdout  # the mark that keeps a paragraph's lines


def test_run_writes_overlays_masks_and_lines(golden_model, scenes, tmp_path):
    outputs = ("-o", tmp_path / "over", "-o", f"masks:{tmp_path / 'ids'}")
    lines = tmp_path / "found.jsonl"
    done = edgeseg("run", golden_model, scenes, *outputs, "-o", lines, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pictures"] == 3
    records = [json.loads(line) for line in lines.read_text().splitlines()]
    for record in records:
        frame = read_picture(scenes / f"{record['name']}.png")
        ids = read_ids(tmp_path / "ids" / f"{record['name']}.png")
        overlay = read_picture(tmp_path / "over" / f"{record['name']}.png")
        assert overlay.shape == frame.shape
        assert ids.shape == frame.shape[:2]
        np.testing.assert_array_equal(overlay[ids == 0], frame[ids == 0])
        areas = {entry["id"]: entry["area"] for entry in record["classes"]}
        found, counts = np.unique(ids, return_counts=True)
        assert areas == dict(zip(found.tolist(), counts.tolist(), strict=True))


def test_run_skips_what_is_there(golden_model, scenes, tmp_path):
    first = edgeseg("run", golden_model, scenes, "-o", tmp_path / "over", "--json")
    again = edgeseg(
        "run",
        golden_model,
        scenes,
        "-o",
        tmp_path / "over",
        "--json",
        "--skip-existing",
    )
    assert json.loads(first.stdout)["pictures"] == 3
    summary = json.loads(again.stdout)
    assert (summary["pictures"], summary["skipped"]) == (0, 3)


def test_json_lines_on_standard_output(golden_model):
    done = edgeseg("run", golden_model, "synthetic:64x48,frames=2", "-o", "-")
    assert [json.loads(line)["height"] for line in done.stdout.splitlines()] == [48, 48]


def run_json(golden_model, *arguments):
    done = edgeseg("run", golden_model, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_frames_are_chosen_and_counted(golden_model, tmp_path):
    clip = "synthetic:64x48,frames=50"  # two seconds
    assert run_json(golden_model, clip, "--every", 5)["pictures"] == 10
    assert run_json(golden_model, clip, "--fps", 10)["pictures"] == 20
    assert run_json(golden_model, clip, "--frames", 7)["pictures"] == 7
    assert run_json(golden_model, clip, "--seconds", 1)["pictures"] == 25
    live = run_json(golden_model, "synthetic:64x48,live,fps=50", "--frames", 5)
    assert live["pictures"] == 5


def test_a_capped_video_plays_at_true_speed(golden_model, tmp_path):
    clip = tmp_path / "clip.mp4"
    run_json(golden_model, "synthetic:64x48,frames=50", "--fps", 10, "-o", clip)
    with open_source(str(clip)) as source:
        times = [capture.time_s for capture in source.captures()]
    # a frame is the nearest that there was, at 25 a second
    np.testing.assert_allclose(times, np.arange(20) / 10, atol=0.041)


def test_what_is_seen_can_be_chosen(golden_model, scenes, tmp_path):
    photo = next((scenes / "sub").iterdir())
    frame = read_picture(photo)
    out = tmp_path / "out.png"
    for options, same in (
        (("--alpha", 0), True),
        (("--classes", "background", "--alpha", 0.9), False),
        (("--contours", "--legend", "--rotate", 180, "--alpha", 0), False),
    ):
        run_json(golden_model, photo, "-o", out, *options)
        assert (read_picture(out) == frame).all() == same
    ids = tmp_path / "ids"
    region = ("--region", "0.25,0.25,0.5,0.5", "--smooth", 0.5)
    run_json(golden_model, photo, "-o", f"masks:{ids}", *region)
    mask = read_ids(next(ids.iterdir()))
    assert not mask[:16].any()
    assert not mask[:, :24].any()


def test_info_tells_tensors_and_manifest(golden_model):
    told = json.loads(edgeseg("info", golden_model, "--json").stdout)
    assert told["inputs"][0]["dtype"] == "int8"
    assert set(told["activations"]) == {"int8"}
    assert told["manifest"]["labels"] == ["background", "disc", "square", "triangle"]


def test_manifest_printed_by_info_serves_as_sidecar(golden_model, tmp_path):
    model = tmp_path / "bare.tflite"
    content = golden_model.read_bytes()
    model.write_bytes(content[: content.index(b"PK\x03\x04")])
    assert (
        json.loads(edgeseg("info", model, "--json").stdout)["manifest"]["labels"] == []
    )
    sidecar = edgeseg("info", golden_model, "--manifest").stdout
    (tmp_path / "bare.tflite.json").write_text(sidecar)
    told = json.loads(edgeseg("info", model, "--json").stdout)
    assert told["manifest"]["labels"][1] == "disc"


def test_fake_device_needs_no_inference(golden_model, tmp_path):
    done = edgeseg(
        "run",
        golden_model,
        "synthetic:64x48,frames=2",
        "-o",
        tmp_path,
        "--device",
        "fake",
    )
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("*.png"))) == 2


def bad_runs(tmp_path, golden_model):
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    truncated = tmp_path / "truncated.tflite"
    truncated.write_bytes(golden_model.read_bytes()[:20_000])
    (tmp_path / "empty").mkdir()
    photo = tmp_path / "photo.png"
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(photo)
    cut = tmp_path / "cut.png"
    cut.write_bytes(photo.read_bytes()[:1500])
    synthetic = "synthetic:64x48,frames=1"
    return {
        "missing model": (tmp_path / "no.tflite", photo),
        "truncated model": (truncated, photo),
        "model that is text": (text, photo),
        "missing picture": (golden_model, tmp_path / "no.jpg"),
        "picture that is text": (golden_model, text),
        "truncated picture": (golden_model, cut),
        "empty folder": (golden_model, tmp_path / "empty"),
        "unknown device": (golden_model, synthetic, "--device", "npu"),
        "unknown unit": (golden_model, synthetic, "--device", "desktop:gpu"),
        "labels of another model": (golden_model, synthetic, "--labels", "pascal-voc"),
        "no such label file": (golden_model, synthetic, "--labels", "nowhere.txt"),
        "output under a file": (golden_model, synthetic, "-o", photo / "x" / "out.png"),
        "output of no known kind": (
            golden_model,
            synthetic,
            "-o",
            tmp_path / "out.xyz",
        ),
        "synthetic option": (golden_model, "synthetic:round"),
        "unknown class": (golden_model, synthetic, "--classes", "unicorn"),
        "unknown effect": (golden_model, synthetic, "--effect", "sparkle"),
        "region outside": (golden_model, synthetic, "--region", "100,0,9,9"),
    }


def test_bad_input_is_one_line_and_writes_nothing(golden_model, tmp_path):
    for what, arguments in bad_runs(tmp_path, golden_model).items():
        out = tmp_path / f"out {what}"
        extra = () if "-o" in arguments else ("-o", out)
        done = edgeseg("run", *arguments, *extra)
        assert_one_line_error(done)
        assert not out.exists(), what


@pytest.mark.parametrize("name", ["a\x1b[2J\x07b", "x" * 100_000, "a\nb", "a\u202eb"])
def test_an_error_is_one_short_line_that_commands_no_terminal(name):
    done = edgeseg("run", name, "nothing.png", "-o", "out.png")
    assert done.returncode == 1
    (line,) = done.stderr.rstrip("\n").split("\n")
    assert line.startswith("Error: ")
    assert len(line) < 2100
    assert not any(character in line for character in "\x1b\x07\u202e")


def test_one_bad_picture_does_not_stop_the_others(golden_model, scenes, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for path in (scenes / "sub").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "a_text.jpg").write_text("no picture")
    done = edgeseg("run", golden_model, folder, "-o", tmp_path / "out")
    assert_one_line_error(done, "a_text.jpg", "1 of 4")
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_usage_errors_exit_with_2(golden_model):
    assert edgeseg("run", golden_model).returncode == 2
    assert edgeseg("run", golden_model, "x", "--normalize", "1").returncode == 2
    for option in (
        ("--size", "big"),
        ("--rotate", "45"),
        ("--region", "1,2"),
        ("--every", "0"),
        ("--smooth", "1"),
        ("--alpha", "2"),
    ):
        assert edgeseg("run", golden_model, "x", *option).returncode == 2
    assert edgeseg("fly").returncode == 2


@pytest.mark.parametrize(
    "raised",
    ["from . import broken", "try: from . import broken\nexcept ImportError as e:\n"
     " raise ImportError('in many\\nwords') from e"],
)  # fmt: skip
def test_a_library_that_cannot_be_loaded_is_one_line(raised, tmp_path, golden_model):
    (tmp_path / "cv2").mkdir()
    (tmp_path / "cv2" / "__init__.py").write_text(raised)
    (tmp_path / "cv2" / "broken.abi3.so").write_bytes(b"no machine code")
    done = subprocess.run(
        [*EDGESEG, "run", golden_model, "synthetic:64x48,frames=1", "-o", "null"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: cannot load ")
    assert "broken.abi3.so: " in done.stderr
    assert done.stderr.count("\n") == 1
