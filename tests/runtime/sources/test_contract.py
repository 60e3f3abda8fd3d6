"""What the pipeline relies on, for each live source that can run here."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest
from mjpeg_server import MjpegServer

from edgeseg.devices import InputError, MissingDriverError
from edgeseg.runtime.capture.open import SOURCES, open_source
from edgeseg.runtime.capture.source import CaptureOptions


@pytest.fixture(params=SOURCES.names())
def working(request):
    """A string that opens the source, or a skip that says what is missing."""
    if request.param == "http":
        with MjpegServer() as server:
            yield server.url
    elif request.param == "gst":
        request.getfixturevalue("gstreamer")
        yield "gst:videotestsrc ! video/x-raw,width=64,height=48"
    elif request.param == "rtsp":
        _, port = request.getfixturevalue("rtsp_server")()
        yield f"rtsp://127.0.0.1:{port}/test"
    else:
        text = f"{request.param}:"
        try:
            with open_source(text) as source:
                live = source.live
        except (InputError, MissingDriverError) as error:
            pytest.skip(str(error))
        if not live:
            pytest.skip(f"{text} is not live")
        yield text


def test_a_live_source_keeps_its_contract(working):
    with open_source(working, CaptureOptions(rotate=90)) as source:
        frames = source.captures()
        captures = [next(frames) for _ in range(4)]
        assert source.live
        assert source.count is None
        assert source.names() == source.failures == ()
        assert source.fps is None or source.fps > 0
        state = json.loads(json.dumps(source.state))
        assert state["connected"] is True
        assert state["reconnects"] == 0
        assert "through" in state
        timer = threading.Timer(0.1, source.stop)
        timer.start()
        for _ in frames:
            pass
        timer.join()
        source.close()
    assert len({capture.name for capture in captures}) == 4
    times = [capture.time_s for capture in captures]
    assert times[0] == 0
    assert (np.diff(times) > 0).all()
    assert (np.diff([capture.captured_s for capture in captures]) > 0).all()
    for capture in captures:
        assert capture.frame.dtype == np.uint8
        assert capture.frame.shape == captures[0].frame.shape
        assert capture.frame.shape[2] == 3
        assert capture.frame.flags.c_contiguous
