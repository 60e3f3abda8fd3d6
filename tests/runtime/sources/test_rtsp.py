from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.capture.source import CaptureOptions
from edgeseg.runtime.sources import rtsp

pytestmark = pytest.mark.usefixtures("leaves_nothing")
BLUE = np.array([0, 0, 255])


@pytest.fixture(scope="module")
def guarded(rtsp_server):
    return rtsp_server("--pattern", "blue", "--user", "eve:s3cret", "--audio")[1]


def blueness(frame):
    return np.abs(frame.astype(int) - BLUE).mean()


def test_a_stream_with_sound_and_a_password(guarded):
    url = f"rtsp://eve:s3cret@127.0.0.1:{guarded}/test"
    with open_source(url, CaptureOptions(size_wh=(160, 120))) as source:
        capture = next(source.captures())
        told = str(source.state)
    assert capture.name == "rtsp_000000"
    assert capture.frame.shape == (120, 160, 3)
    assert blueness(capture.frame) < 6
    assert "GStreamer" in told
    assert "s3cret" not in told


@pytest.mark.parametrize("library", ["GStreamer", "OpenCV"])
@pytest.mark.parametrize(
    ("address", "gstreamer_says"),
    [
        ("eve:wr0ng@127.0.0.1:{}/test?token=42", "Unauthorized"),
        ("eve:s3cret@127.0.0.1:{}/nosuch", "Not found"),
        ("127.0.0.1:9/test", "Failed to connect"),
    ],
)
def test_a_refusal_is_told_without_the_password(
    guarded, address, gstreamer_says, library, monkeypatch, capfd
):
    if library == "OpenCV":
        monkeypatch.setattr(rtsp, "has_elements", lambda *names: False)
    message = gstreamer_says if library == "GStreamer" else "cannot open rtsp://127"
    with pytest.raises(InputError, match=message) as raised:
        open_source("rtsp://" + address.format(guarded))
    for secret in ("eve", "s3cret", "wr0ng", "42"):
        assert secret not in str(raised.value).replace(str(guarded), "PORT")
    assert capfd.readouterr().err == ""


def test_opencv_where_there_is_no_gstreamer(guarded, monkeypatch):
    monkeypatch.setattr(rtsp, "has_elements", lambda *names: False)
    with open_source(f"rtsp://eve:s3cret@127.0.0.1:{guarded}/test") as source:
        frame = next(source.captures()).frame
        assert source.state["through"] == "OpenCV FFMPEG"
        assert source.fps == 30
    assert blueness(frame) < 6


def test_it_comes_back_after_the_server_was_killed_and_restarted(rtsp_server):
    server, port = rtsp_server("--pattern", "red")
    with open_source(f"rtsp://127.0.0.1:{port}/test") as source:
        frames = source.captures()
        assert next(frames).frame[50, 50, 0] > 240
        server.kill()
        server.wait()
        again, _ = rtsp_server(port, "--pattern", "blue", "--size", "322x240")
        while not source.state["reconnects"]:
            capture = next(frames)
        assert capture.frame.shape == (240, 320, 3)
        while blueness(capture.frame) > 8:
            capture = next(frames)
    again.kill()
    again.wait()


def test_what_is_no_address_is_refused():
    with pytest.raises(InputError, match="expected rtsp://HOST/STREAM"):
        open_source("rtsp://")


def test_without_gstreamer_a_refusal_is_one_line_of_a_real_process(golden_model):
    environment = {k: v for k, v in os.environ.items() if "FFMPEG" not in k}
    run = "from edgeseg.runtime.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", run, "run", golden_model, "rtsp://127.0.0.1:9/test"],
        env=environment | {"PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "cannot open rtsp://127.0.0.1:9" in done.stderr
