from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import threading
import time
from pathlib import Path

import cv2  # noqa: F401 (opened before descriptors are counted)
import pytest

from edgeseg.runtime.gstreamer import has_elements


def held():
    """What this process holds: threads, descriptors, children (zombies too)."""
    children = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the thread ended meanwhile
            children += (task / "children").read_text().split()
    return threading.active_count(), len(os.listdir("/proc/self/fd")), sorted(children)


@pytest.fixture
def leaves_nothing():
    """The test has to close what it opens: threads, descriptors and children."""
    gc.collect()  # what earlier tests have left must not go within this one
    before = held()
    yield
    end = time.monotonic() + 5
    while held() != before and time.monotonic() < end:
        time.sleep(0.02)
    assert held() == before


@pytest.fixture
def gstreamer():
    if not has_elements("videotestsrc", "videoconvert", "pnmenc"):
        pytest.skip("needs gst-launch-1.0 with the plugins base, good and bad")


@pytest.fixture(scope="session")
def rtsp_server(root):
    """Start tests/rtsp_server.py with options; give the process and its port."""
    python = "/usr/bin/python3"
    needed = "import gi; gi.require_version('GstRtspServer', '1.0')"
    if (
        not Path(python).exists()
        or subprocess.run(
            [python, "-c", needed], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("needs gir1.2-gst-rtsp-server-1.0 and python3-gi")
    if not has_elements("rtspsrc", "decodebin", "avdec_h264", "pnmenc"):
        pytest.skip("needs GStreamer's plugins good, bad and libav")
    running = []

    def start(*options):
        server = subprocess.Popen(
            [python, root / "tests" / "rtsp_server.py", *map(str, options)],
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(server)
        with server.stdout as said:
            ready = said.readline().split()
        if len(ready) != 2:
            pytest.skip("the RTSP server has no H.264 encoder")
        return server, int(ready[1])

    yield start
    for server in running:
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def wait_until():
    def wait(condition, seconds=10.0):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.01)

    return wait
