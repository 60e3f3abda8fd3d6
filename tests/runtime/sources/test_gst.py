from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

from edgeseg.devices import InputError, MissingDriverError
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.capture.source import CaptureOptions

pytestmark = pytest.mark.usefixtures("gstreamer", "leaves_nothing")


def test_frames_of_a_pipeline():
    caps = "video/x-raw,width=322,height=50,format=RGB"
    source = open_source(f"gst:videotestsrc pattern=red ! {caps}")
    with source:
        frames = source.captures()
        captures = [next(frames) for _ in range(5)]
    assert captures[4].name == "gst_000004"
    np.testing.assert_array_equal(captures[0].frame[7, 321], [255, 0, 0])
    assert captures[0].frame.shape == (50, 322, 3)
    assert captures[4].time_s > 2 / 30  # in time, however fast it could be drawn


def test_size_and_rotation_are_done():
    options = CaptureOptions(size_wh=(66, 32), rotate=90)
    with open_source("gst:videotestsrc", options) as source:
        assert next(source.captures()).frame.shape == (66, 32, 3)
        assert source.state["size_wh"] == [32, 66]


def test_a_pipeline_that_is_wrong_is_told_at_once():
    with pytest.raises(MissingDriverError, match="no element 'nosuch'"):
        open_source("gst:nosuch ! videoconvert")
    with pytest.raises(InputError, match="got nothing"):
        open_source("gst:")
    with pytest.raises(InputError, match="cannot read gst:"):
        open_source("gst:filesrc location=/nowhere ! decodebin")


def test_a_killed_child_is_started_again(caplog):
    with open_source("gst:videotestsrc") as source:
        frames = source.captures()
        next(frames)
        os.kill(source.state["pid"], signal.SIGKILL)
        while not source.state["reconnects"]:
            next(frames)
        assert next(frames).frame.shape == (240, 320, 3)
    assert "killed by SIGKILL; connecting again" in caplog.text


def test_another_resolution_in_the_middle_is_brought_to_the_first(caplog):
    small = "videotestsrc num-buffers=10 ! video/x-raw,width=64,height=48 ! joined."
    large = "videotestsrc ! video/x-raw,width=128,height=96 ! joined."
    with open_source(f"gst:{small} {large} concat name=joined") as source:
        frames = source.captures()
        while "the picture is 128x96 now" not in caplog.text:
            assert next(frames).frame.shape == (48, 64, 3)
        assert source.state["reconnects"] == 0


def test_stop_ends_a_pipeline_that_gives_nothing_more():
    with open_source("gst:videotestsrc") as source:
        os.kill(source.state["pid"], signal.SIGSTOP)
        timer = threading.Timer(0.2, source.stop)
        timer.start()
        start = time.monotonic()
        for _ in source.captures():
            pass
        assert time.monotonic() - start < 0.7
        timer.join()


def test_the_sensor_of_a_jetson_needs_its_elements():
    from edgeseg.runtime.gstreamer import has_elements

    if has_elements("nvarguscamerasrc"):
        pytest.skip("a Jetson: its sensors are not for tests")
    with pytest.raises(MissingDriverError, match=r"csi:1: .*nvidia-l4t-gstreamer"):
        open_source("csi:1")
    with pytest.raises(InputError, match="a sensor's number, got 'x'"):
        open_source("csi:x")
