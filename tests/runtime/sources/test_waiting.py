"""``--wait``: what may come is waited for and named, what never comes is an error."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from edgeseg.runtime.cli import main
from edgeseg.runtime.gstreamer import has_elements
from tests.mjpeg_server import MjpegServer

REFUSAL = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def run(model, source):
    words = ["run", str(model), source, "--wait", "--frames", "1"]
    return CliRunner().invoke(main, words)


@pytest.mark.usefixtures("leaves_nothing")
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("camra:0", "did you mean 'camera:0'"),
        ("camera:first", "expected a camera's number"),
        ("camera:0,fourcc=MJPEG", "four letters"),
        ("v4l2:/etc/hostname", "is no camera"),
        ("rtps://door/stream", "no such file, folder or source"),
        ("http://camera:port/", "Port could not be cast"),
        ("picamera", "Picamera2 cannot be imported"),
    ],
)
def test_what_waiting_does_not_mend_fails_at_once(golden_model, source, words):
    done = run(golden_model, source)
    assert done.exit_code == 1
    assert words in done.output
    assert len(done.output.splitlines()) == 1


@pytest.mark.usefixtures("gstreamer", "leaves_nothing")
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("gst:nosuchsrc ! fakething", "has no element"),
        ("gst:videotestsrc !! queue", "syntax error"),
        ("csi:0", "nvarguscamerasrc"),
    ],
)
def test_a_pipeline_that_cannot_be_fails_at_once(golden_model, source, words):
    if source == "csi:0" and has_elements("nvarguscamerasrc"):
        pytest.skip("this machine has a Jetson's cameras")
    done = run(golden_model, source)
    assert done.exit_code == 1
    assert words in done.output
    assert len(done.output.splitlines()) == 1


def test_a_wrong_password_over_http_fails_at_once(golden_model):
    with MjpegServer(lambda send, request: send(REFUSAL)) as server:
        done = run(golden_model, f"http://eve:s3cret@{server.netloc}/video")
    assert done.exit_code == 1
    assert "access refused" in done.output
    assert "s3cret" not in done.output.split("Warning")[0]


def test_a_wrong_password_over_rtsp_fails_at_once(golden_model, rtsp_server):
    _, port = rtsp_server("--user", "eve:s3cret")
    done = run(golden_model, f"rtsp://eve:wrong@127.0.0.1:{port}/test")
    assert done.exit_code == 1
    assert "nauthorized" in done.output


def test_a_camera_that_is_not_there_yet_is_named_once(golden_model):
    program = "from edgeseg.runtime.cli import main; main()"
    words = ["run", str(golden_model), "camera:97", "--wait"]
    waiting = subprocess.Popen(
        [sys.executable, "-c", program, *words], stderr=subprocess.PIPE, text=True
    )
    first = waiting.stderr.readline()
    time.sleep(1.2)  # two more tries
    waiting.terminate()
    rest = waiting.communicate()[1]
    assert first.startswith("Warning: waiting for camera 97: no such camera: /dev/vid")
    assert rest == ""
    assert waiting.returncode == 143
