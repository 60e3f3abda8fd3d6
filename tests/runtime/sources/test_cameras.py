"""Cameras: no hardware here, so what is shown is what is said and asked of them."""

from __future__ import annotations

import os
import sys
import threading
import types

import cv2
import numpy as np
import pytest

from edgeseg.devices import InputError, MissingDriverError
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.capture.opencv import OpencvConnection
from edgeseg.runtime.capture.source import CaptureOptions
from edgeseg.runtime.sources.v4l2 import camera_path

pytestmark = pytest.mark.usefixtures("leaves_nothing")


@pytest.mark.parametrize("text", ["camera:97", "v4l2:/dev/video97", "v4l2:97"])
def test_a_camera_that_is_not_there_is_told(text):
    with pytest.raises(InputError, match=r"no such camera: /dev/video97 \(there "):
        open_source(text)


def test_the_cameras_that_are_there_are_listed(tmp_path):
    for name in ("video10", "video2", "video"):
        (tmp_path / name).touch()
    listed = f"there are {tmp_path}/video2, {tmp_path}/video10"
    with pytest.raises(InputError, match=listed):
        camera_path("0", tmp_path)
    with pytest.raises(InputError, match="is no camera"):
        camera_path("2", tmp_path)


def test_a_camera_without_permission_is_told(monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match="group video"):
        camera_path("/dev/null")


def test_a_device_that_is_no_camera_is_told(capfd):
    with pytest.raises(InputError, match="cannot open /dev/null: it is no capture"):
        open_source("v4l2:/dev/null")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("camera:first", "a camera's number or /dev/videoN"),
        ("camera:0,fourcc=MJPEG", "four letters"),
        ("camera:0,fast", "fourcc="),
    ],
)
def test_what_names_no_camera_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        open_source(text)


def test_opencv_frames_are_rgb_and_end(tmp_path):
    """With a real file in the place of a camera."""
    path = str(tmp_path / "clip.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 20, (64, 48))
    for _ in range(3):
        writer.write(np.full((48, 64, 3), (250, 20, 10), np.uint8))  # BGR
    writer.release()
    connection = OpencvConnection(path, "FFMPEG")
    connection.open()
    frames = [connection.read() for _ in range(3)]
    np.testing.assert_allclose(frames[0][20, 20], [10, 20, 250], atol=12)
    assert connection.details["given_wh"] == [64, 48]
    assert connection.details["fps"] == 20
    with pytest.raises(InputError, match="no more frames"):
        connection.read()
    connection.close()


class Picamera2:
    """A stand-in with the calls and the meaning of formats of Picamera2's manual.

    Raspberry Pi's own cannot run here. Names of formats are those of the manual's
    appendix A: BGR888 arrives as R, G, B; RGB888 as B, G, R.
    """

    cameras = (0, 1)
    open_now = ()

    def __init__(self, camera_num=0):
        if camera_num in Picamera2.open_now:
            raise RuntimeError("Failed to acquire camera: Device or resource busy")
        Picamera2.open_now = (*Picamera2.open_now, camera_num)
        self._number, self._running = camera_num, False
        self._fail = threading.Event()

    @staticmethod
    def global_camera_info():
        return [{"Num": number} for number in Picamera2.cameras]

    def create_video_configuration(self, main, controls):
        return {"main": dict(main), "controls": {"FrameRate": 30, **controls}}

    def configure(self, configuration):
        self._configuration = configuration

    def camera_configuration(self):
        return self._configuration

    def start(self):
        self._running = True

    def capture_array(self, name):
        assert self._running
        stream = self._configuration[name]
        order = {"BGR888": (200, 100, 50), "RGB888": (50, 100, 200)}[stream["format"]]
        width, height = stream["size"]
        return np.full((height, width, 3), order, np.uint8)

    def stop(self):
        self._running = False

    def close(self):
        Picamera2.open_now = tuple(n for n in Picamera2.open_now if n != self._number)


@pytest.fixture
def picamera2(monkeypatch):
    module = types.ModuleType("picamera2")
    module.Picamera2 = Picamera2
    monkeypatch.setitem(sys.modules, "picamera2", module)


@pytest.mark.usefixtures("picamera2")
def test_a_raspberry_pi_camera_gives_red_green_blue():
    options = CaptureOptions(size_wh=(64, 48), fps=15, rotate=180)
    with open_source("picamera:1", options) as source:
        capture = next(source.captures())
        assert source.state["given_wh"] == [64, 48]
        with pytest.raises(InputError, match="does another program use it"):
            open_source("picamera:1")
    np.testing.assert_array_equal(capture.frame[0, 0], [200, 100, 50])
    assert capture.name == "picamera1_000000"
    assert Picamera2.open_now == ()


@pytest.mark.usefixtures("picamera2")
def test_a_raspberry_pi_camera_that_is_not_there_is_told():
    with pytest.raises(InputError, match=r"no such camera: picamera:2 \(2 found"):
        open_source("picamera:2")
    with pytest.raises(InputError, match="a camera's number, got 'front'"):
        open_source("picamera:front")


def test_without_picamera2_the_package_and_the_environment_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(MissingDriverError, match=r"python3-picamera2.*site-packages"):
        open_source("picamera:")
