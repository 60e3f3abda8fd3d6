"""The examples run as they stand, in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import edgeseg.runtime.examples
from edgeseg.runtime.pictures.files import read_picture
from edgeseg.runtime.shipped import photo_folder

ASTRONAUT = photo_folder() / "astronaut.jpg"
TRIED = ("door_counter", "own_camera", "several_outputs")


def run(name, *arguments):
    module = f"edgeseg.runtime.examples.{name}"
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_example_is_tried():
    (folder,) = edgeseg.runtime.examples.__path__
    assert sorted(path.stem for path in Path(folder).glob("[!_]*.py")) == [*TRIED]


def test_the_door_counter_sees_somebody_come_and_pass(tmp_path):
    video = tmp_path / "door.avi"
    write_video(video, passing())
    said = run("door_counter", video)
    assert any("door: person enter" in line for line in said), said
    assert any("gate: person cross in, 1 in all" in line for line in said), said
    assert any("door: person leave" in line for line in said), said


def test_an_own_camera_gives_rgb(tmp_path):
    video = tmp_path / "camera.avi"
    write_video(video, [read_picture(ASTRONAUT)] * 3)
    said = run("own_camera", video)
    assert [line.split()[:2] for line in said] == [
        [f"frame_00000{i}", "person"] for i in range(3)
    ]


def test_several_outputs_hold_the_same_frames(tmp_path):
    (said,) = run("several_outputs", f"pan:{ASTRONAUT},frames=6", tmp_path / "results")
    assert said.startswith("6 frames; ")
    assert "person" in said
    lines = (tmp_path / "results/found.jsonl").read_text("utf-8").splitlines()
    assert len([json.loads(line) for line in lines]) == 6
    assert len(list((tmp_path / "results/masks").glob("*.png"))) == 6
    video = cv2.VideoCapture(str(tmp_path / "results/blurred.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 6


def passing():
    """Give frames in which somebody passes in three seconds, then two of nobody."""
    person = cv2.resize(read_picture(ASTRONAUT)[:, :400], (300, 384))
    street = np.full((384, 1000, 3), 210, np.uint8)
    for x in np.linspace(-300, 1000, 30).astype(int):
        frame = street.copy()
        left, right = max(0, x), min(1000, x + 300)
        frame[:, left:right] = person[:, left - x : right - x]
        yield frame
    yield from [street] * 20


def write_video(path, frames):
    writer = None
    for frame in frames:
        if writer is None:
            code = cv2.VideoWriter.fourcc(*"MJPG")
            writer = cv2.VideoWriter(str(path), code, 10, frame.shape[1::-1])
            if not writer.isOpened():
                pytest.skip("this OpenCV writes no MJPEG")
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
