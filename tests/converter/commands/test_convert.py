"""What must not be converted, as a user meets it: one clear line and no file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

EDGESEG = [sys.executable, "-c", "from edgeseg.runtime.cli import main; main()"]


def convert(*arguments, **options):
    command = [*EDGESEG, "convert", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **options)


def assert_refused(done, output, *words):
    assert done.returncode == 1, done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("[")]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("Error: ")
    for word in words:
        assert word in lines[0]
    assert not output.exists()
    assert not list(output.parent.glob(".*")), "half-written output"


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out.tflite"


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    folder = tmp_path_factory.mktemp("noise")
    random = np.random.default_rng(0)
    for index in range(40):
        pixels = random.integers(0, 256, (96, 128, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


def test_a_folder_of_noise(shapes_keras, noise, output):
    done = convert(shapes_keras, "--calibration", noise, "-o", output)
    assert_refused(done, output, "noise")


def test_an_h5_of_another_network(calibration, output, tmp_path):
    import h5py

    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["block1_conv1"]
        group = file.create_group("block1_conv1")
        group.attrs["weight_names"] = ["block1_conv1/kernel:0"]
        group["block1_conv1/kernel:0"] = np.zeros((3, 3, 3, 64), np.float32)
    arch = ("--arch", "deeplabv3-mobilenetv2")
    done = convert(path, *arch, "--calibration", calibration, "-o", output)
    assert_refused(done, output, "other.h5")


def test_a_broken_archive(shapes_keras, calibration, output, tmp_path):
    path = tmp_path / "broken.keras"
    path.write_bytes(shapes_keras.read_bytes()[:-500])
    done = convert(path, "--calibration", calibration, "-o", output)
    assert_refused(done, output, "broken.keras")


@pytest.mark.long
def test_weights_that_are_not_numbers(shapes_keras, calibration, output, tmp_path):
    import keras

    model = keras.models.load_model(shapes_keras)
    weights = model.get_weights()
    weights[0][0, 0, 0, 0] = np.nan
    model.set_weights(weights)
    path = tmp_path / "nan.keras"
    model.save(path)
    done = convert(path, "--calibration", calibration, "-o", output)
    assert_refused(done, output, "not finite")


def test_options_that_miss_their_pictures(shapes_keras, calibration, output):
    given = (shapes_keras, "--calibration", calibration, "-o", output)
    done = convert(*given, "--max-drop", "1")
    assert_refused(done, output, "--max-drop needs --dataset")
    done = convert(shapes_keras, "-o", output)
    assert_refused(done, output, "--calibration")


@pytest.mark.long
def test_ranges_that_find_no_room(shapes_keras, calibration, output, full_disk):
    given = (shapes_keras, "--calibration", calibration, "-o", output)
    done = convert(*given, "--save-ranges", full_disk / "ranges.json")
    assert_refused(done, output, "ranges.json: No space left on device")
    assert not list(full_disk.iterdir())


def test_a_limit_of_time(shapes_keras, calibration, output):
    given = (shapes_keras, "--calibration", calibration, "-o", output)
    assert_refused(convert(*given, "--timeout", "2"), output, "time limit of 2 s")


def test_a_limit_of_memory(shapes_keras, calibration, output):
    given = (shapes_keras, "--calibration", calibration, "-o", output)
    assert_refused(convert(*given, "--memory", "0.1"), output, "memory limit of 0.1 GB")


def test_a_child_that_is_killed(shapes_keras, calibration, output):
    arguments = ("convert", shapes_keras, "--calibration", calibration, "-o", output)
    with subprocess.Popen(
        [*EDGESEG, *map(str, arguments)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        os.kill(child_of(process.pid), signal.SIGKILL)
        stdout, stderr = process.communicate(timeout=60)
    done = subprocess.CompletedProcess([], process.returncode, stdout, stderr)
    assert_refused(done, output, "killed by signal 9")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_end_from_outside(shapes_keras, calibration, output, tmp_path, number):
    arguments = ("convert", shapes_keras, "--calibration", calibration, "-o", output)
    place = tmp_path / "temporary"
    place.mkdir()
    with subprocess.Popen(
        [*EDGESEG, *map(str, arguments)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(place)},
        # under nohup it is ignored, and a conversion leaves it so
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    ) as process:
        try:
            assert "loading" in process.stderr.readline()
            child = child_of(process.pid)
            assert list(place.iterdir())
            process.send_signal(number)
            _, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 128 + number
    assert "Traceback" not in stderr
    assert not list(place.iterdir())
    assert not output.exists()
    assert not Path(f"/proc/{child}").exists()


def child_of(pid):
    """Return the process that another one started, once there is one."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    for _ in range(600):
        found = children.read_text().split()
        if found:
            return int(found[0])
        time.sleep(0.05)
    raise AssertionError("no child was started")


@pytest.mark.long
def test_a_full_disk(shapes_keras, calibration, full_disk):
    output = full_disk / "out.tflite"
    done = convert(shapes_keras, "--calibration", calibration, "-o", output)
    assert_refused(done, output, "No space left")
    assert not list(full_disk.iterdir())
