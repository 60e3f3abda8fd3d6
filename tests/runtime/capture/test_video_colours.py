"""Colours and shapes of videos, as other programs write and read them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from edgeseg.runtime import Capture, Manifest, Segmentation, Style
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.output.open import open_sink

COLOUR = 223, 31, 64
BARS = np.array([COLOUR, (20, 180, 40), (30, 60, 210), (128, 128, 128)], np.uint8)
SD, HD = (640, 480), (1280, 720)


@pytest.fixture(autouse=True)
def _programs():
    for program in ("ffmpeg", "ffprobe"):
        if not shutil.which(program):
            pytest.skip(f"needs the program {program}: not there")


@pytest.fixture
def pyav():
    pytest.importorskip("av", reason="needs the extra `video`")


def bars(size_wh):
    columns = np.repeat(BARS, size_wh[0] // len(BARS), axis=0)
    return np.broadcast_to(columns, (size_wh[1], *columns.shape)).copy()


def colours_of(frame):
    """The colour in the middle of each bar."""
    step = frame.shape[1] // len(BARS)
    return frame[frame.shape[0] // 2, step // 2 :: step]


def ffmpeg(*arguments):
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-y", *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    if "Unknown encoder" in done.stderr:
        pytest.skip("this ffmpeg has no libx264")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize(("size", "matrix"), [(SD, "smpte170m"), (HD, "bt709")])
def test_a_recording_says_how_its_colours_are_coded(
    suffix, size, matrix, tmp_path, pyav
):
    path = tmp_path / f"clip{suffix}"
    frame, ids = bars(size), np.zeros(size[::-1], np.uint8)
    with open_sink(str(path), Style(Manifest(labels=("background",)))) as sink:
        for number in range(3):
            sink.write(Capture(frame, "x", number / 10), Segmentation(ids, (), {}))
    shown = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    (stream,) = json.loads(shown.stdout)["streams"]
    keys = ("color_space", "color_primaries", "color_transfer", "color_range")
    assert [stream[key] for key in keys] == [matrix, matrix, matrix, "tv"]
    ffmpeg("-i", path, "-frames:v", 1, tmp_path / "one.png")
    with Image.open(tmp_path / "one.png") as picture:
        seen = np.asarray(picture.convert("RGB")).astype(int)
    np.testing.assert_allclose(colours_of(seen), BARS, atol=3)
    with open_source(str(path)) as source:
        read = next(iter(source.captures())).frame.astype(int)
    np.testing.assert_allclose(colours_of(read), BARS, atol=3)


def encoded(path, size, matrix, *, tagged):
    Image.fromarray(bars(size)).save(path.with_suffix(".png"))
    scale = f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p"
    tags = ["-colorspace", matrix] if tagged else []
    still = ("-loop", 1, "-i", path.with_suffix(".png"), "-frames:v", 5)
    ffmpeg(*still, "-vf", scale, *tags, "-c:v", "libx264", path)
    if not tagged:
        bare = path.with_stem("bare")
        unspecified = "h264_metadata=matrix_coefficients=2"
        ffmpeg("-i", path, "-c", "copy", "-bsf:v", unspecified, bare)
        bare.replace(path)
    return path


@pytest.mark.parametrize("tagged", [True, False])
@pytest.mark.parametrize(("size", "matrix"), [(SD, "smpte170m"), (HD, "bt709")])
def test_a_video_is_read_as_players_do(size, matrix, tagged, tmp_path, pyav):
    path = encoded(tmp_path / "clip.mp4", size, matrix, tagged=tagged)
    with open_source(str(path)) as source:
        captures = list(source.captures())
        assert source.count == 5
    assert [capture.frame.shape for capture in captures] == [(*size[::-1], 3)] * 5
    seen = colours_of(captures[-1].frame.astype(int))
    np.testing.assert_allclose(seen, BARS, atol=4)
    times = [capture.time_s for capture in captures]
    np.testing.assert_allclose(times, np.arange(5) / 25, atol=0.001)


@pytest.mark.parametrize(
    ("size", "aspect", "expected"),
    [
        ((720, 576), "64/45", (576, 1024)),
        ((704, 480), "10/11", (528, 704)),
        ((1440, 1080), "4/3", (1080, 1920)),  # untagged HD: PyAV reads it
        ((320, 240), "1/1", (240, 320)),
    ],
)
def test_pixels_that_are_not_square_are_made_so(size, aspect, expected, tmp_path):
    path = tmp_path / "clip.mp4"
    source = f"testsrc=size={size[0]}x{size[1]}:rate=5:duration=1"
    ffmpeg("-f", "lavfi", "-i", source, "-vf", f"setsar={aspect}", path)
    with open_source(str(path)) as opened:
        frames = [capture.frame for capture in opened.captures()]
    assert [frame.shape[:2] for frame in frames] == [expected] * 5


def test_without_pyav_a_video_is_read_all_the_same(tmp_path, monkeypatch):
    path = encoded(tmp_path / "clip.mp4", HD, "bt709", tagged=False)
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "edgeseg.runtime.capture.video_pyav", False)
    with open_source(str(path)) as source:
        seen = colours_of(next(iter(source.captures())).frame.astype(int))
    np.testing.assert_allclose(seen, BARS, atol=40)
