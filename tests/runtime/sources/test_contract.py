"""Every source keeps the contract; one that is not in the table fails here."""

from __future__ import annotations

import json

import numpy as np
import pytest
from mjpeg_server import MjpegServer

from edgeseg.devices import InputError, MissingDriverError
from edgeseg.runtime import CaptureOptions, Manifest, Style, open_sink, open_source
from edgeseg.runtime.capture.contract import check_source
from edgeseg.runtime.capture.open import SOURCES
from edgeseg.runtime.output.contract import check_sink
from edgeseg.runtime.pictures.files import write_picture
from edgeseg.runtime.sources.synthetic import SyntheticSource


def http(request, folder):
    server = MjpegServer()
    server.__enter__()
    request.addfinalizer(lambda: server.__exit__(None, None, None))
    return server.url


def gst(request, folder):
    request.getfixturevalue("gstreamer")
    return "gst:videotestsrc ! video/x-raw,width=64,height=48"


def rtsp(request, folder):
    _, port = request.getfixturevalue("rtsp_server")()
    return f"rtsp://127.0.0.1:{port}/test"


def video(request, folder):
    check_sink(open_sink(f"video:{folder / 'clip.mp4'}", Style(Manifest())))
    return f"video:{folder / 'clip.mp4'}"


def picture(request, folder):
    write_picture(folder / "in/a.png", np.zeros((30, 40, 3), np.uint8))
    write_picture(folder / "in/b.png", np.full((30, 40, 3), 90, np.uint8))
    return f"image:{folder / 'in/a.png'}"


def pictures(request, folder):
    picture(request, folder)
    return f"folder:{folder / 'in'}"


def pan(request, folder):
    picture(request, folder)
    return f"pan:{folder / 'in'},frames=3"


def hardware(text):
    def opened(request, folder):
        try:
            open_source(text).close()
        except (InputError, MissingDriverError) as error:
            pytest.skip(str(error))  # which camera or driver is missing
        return text

    return opened


# how each is opened here
HOW = {
    "camera": hardware("camera:0"),
    "csi": hardware("csi:0"),
    "folder": pictures,
    "gst": gst,
    "http": http,
    "image": picture,
    "imx500": hardware("imx500:network.rpk"),
    "pan": pan,
    "picamera": hardware("picamera:0"),
    "rtsp": rtsp,
    "synthetic": lambda request, folder: "synthetic:64x48,frames=5",
    "v4l2": hardware("v4l2:/dev/video0"),
    "video": video,
}


@pytest.fixture(params=SOURCES.names())
def text(request, tmp_path):
    if request.param not in HOW:
        pytest.fail(f"add a row for {request.param!r} to HOW in {__file__}")
    return HOW[request.param](request, tmp_path)


def test_every_source_keeps_the_contract(text):
    check_source(open_source(text))


def test_every_source_turns_its_frames(text):
    with open_source(text) as source:
        upright = next(iter(source.captures())).frame.shape
    with open_source(text, CaptureOptions(rotate=90)) as source:
        turned = next(iter(source.captures())).frame.shape
    # a clip of a given size is that size, however its pictures were turned
    assert turned in ((upright[1], upright[0], 3), upright)


def test_every_file_source_leaves_out_what_it_is_told_to(text):
    with open_source(text) as source:
        if source.live:
            return
        everything = [capture.name for capture in source.captures()]
        assert source.count == len(everything)
    with open_source(text) as source:
        rest = [c.name for c in source.captures(frozenset(everything[:1]))]
    assert rest == everything[1:]


def test_every_live_source_tells_through_what(text):
    with open_source(text) as source:
        if source.live:
            assert "through" in json.loads(json.dumps(source.state))
            assert (source.count, source.names(), source.failures) == (None, (), ())


class Backwards(SyntheticSource):
    def captures(self, skip=frozenset()):
        yield from reversed(list(super().captures(skip)))


class Grey(SyntheticSource):
    def captures(self, skip=frozenset()):
        for capture in super().captures(skip):
            object.__setattr__(capture, "frame", capture.frame[..., 0])
            yield capture


class Endless(SyntheticSource):
    def stop(self):
        pass


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        (Backwards, "frames=3", "never go back"),
        (Grey, "frames=3", r"\(H, W, 3\)"),
        (Endless, "live,fps=100", "stop ends"),
    ],
)
def test_a_broken_contract_is_seen(source, options, words):
    with pytest.raises(AssertionError, match=words):
        check_source(source(f"32x24,{options}"))
