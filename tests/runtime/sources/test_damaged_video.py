"""Videos with hidden, damaged or missing frames."""

from __future__ import annotations

import shutil
import struct
import sys

import cv2
import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime.capture.edit_list import shown_seconds
from edgeseg.runtime.capture.open import open_source

COUNT = 100


def record(path, code="mp4v"):
    size = (160, 120)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 25, size)
    rng = np.random.default_rng(0)
    base = cv2.GaussianBlur(rng.integers(0, 255, (120, 160, 3), np.uint8), (0, 0), 2)
    for number in range(COUNT):
        video.write(np.roll(base, 2 * number, axis=1))
    video.release()
    return path


def spoil(path, share, length):
    content = bytearray(path.read_bytes())
    at = int(share * len(content))
    content[at : at + length] = bytes(length)
    path.write_bytes(content)


def test_frames_that_an_edit_list_hides_are_not_missed(root):
    clip = root / "tests/golden/video/editlist.mp4"
    assert shown_seconds(clip) == pytest.approx(49 / 25, abs=0.02)
    with open_source(str(clip)) as source:
        assert source.count == 49
        captures = list(source.captures())
        assert len(captures) == 49
        assert source.failures == ()
    assert captures[-1].time_s == pytest.approx(48 / 25, abs=0.001)


@pytest.mark.parametrize(("name", "code"), [("a.mp4", "mp4v"), ("a.avi", "MJPG")])
def test_one_damaged_spot_does_not_end_a_video(tmp_path, caplog, name, code):
    path = record(tmp_path / name, code)
    spoil(path, 0.4, 300)
    with open_source(str(path)) as source:
        captures = list(source.captures())
        assert COUNT - 10 <= len(captures) < COUNT
        assert source.failures == ()
    names = [capture.name for capture in captures]
    assert names == [f"a_{index:06d}" for index in range(len(captures))]
    times = [capture.time_s for capture in captures]
    assert times == sorted(times)
    assert times[-1] > 0.95 * COUNT / 25  # to its end
    (said,) = caplog.records
    lost = COUNT - len(captures)
    assert f"{lost} of {COUNT} frames could not be decoded" in said.getMessage()


def test_a_large_damage_is_a_failure_and_the_rest_is_done(tmp_path):
    path = record(tmp_path / "a.mp4")
    spoil(path, 0.3, path.stat().st_size // 3)
    with open_source(str(path)) as source:
        captures = list(source.captures())
        (failure,) = source.failures
    assert captures[-1].time_s > 0.9 * COUNT / 25
    assert f"is damaged: {len(captures)} of {COUNT} frames" in failure


def test_a_damaged_beginning_is_left_out(tmp_path, caplog):
    path = record(tmp_path / "a.avi", "MJPG")
    content = path.read_bytes()
    at = content.index(b"00dc", content.index(b"movi")) + 8
    size = int.from_bytes(content[at - 4 : at], "little")
    path.write_bytes(content[:at] + bytes(size) + content[at + size :])
    with open_source(str(path)) as source:
        captures = list(source.captures())
    assert len(captures) == COUNT - 1
    assert captures[0].time_s == 0
    assert "1 of 100 frames" in caplog.text


@pytest.fixture
def av1(root):
    clip = root / "tests/golden/video/x_av1.mp4"
    if cv2.VideoCapture(str(clip)).grab():
        pytest.skip("this OpenCV decodes AV1")
    return clip


def test_a_coding_that_opencv_lacks_is_named(av1, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "edgeseg.runtime.capture.video_pyav", False)
    named = r"its video is AV1, which .*pip install 'edgeseg\[video\]'.* libx264"
    with pytest.raises(InputError, match=named):
        open_source(str(av1))


def test_pyav_decodes_what_opencv_does_not(av1):
    av = pytest.importorskip("av", reason="needs the extra `video`")
    if "libdav1d" not in av.codecs_available:
        pytest.skip("this PyAV decodes no AV1")
    with open_source(str(av1)) as source:
        captures = list(source.captures())
        assert (source.count, source.fps, source.failures) == (25, 25.0, ())
    assert len(captures) == 25
    assert captures[0].frame.shape == (480, 640, 3)
    assert captures[-1].time_s == pytest.approx(24 / 25, abs=0.001)
    assert captures[0].frame.std() > 20


def box(kind, content):
    return struct.pack(">I4s", 8 + len(content), kind) + content


def movie(*edits, scale=1000, version=0):
    """Return an MP4 file's tables with the edits of an audio and a video track."""
    layout = ">Qq4x" if version else ">Ii4x"
    entries = b"".join(struct.pack(layout, *edit) for edit in edits)
    listed = box(b"elst", struct.pack(">B3xI", version, len(edits)) + entries)

    def track(kind, edited):
        handler = box(b"hdlr", struct.pack(">8x4s12xx", kind))
        return box(b"trak", edited + box(b"mdia", handler))

    header = box(b"mvhd", struct.pack(">12xI80x", scale))
    sound = track(b"soun", box(b"edts", box(b"elst", bytes(8))))
    return box(b"ftyp", b"isom") + box(
        b"moov", header + sound + track(b"vide", box(b"edts", listed))
    )


@pytest.mark.parametrize("version", [0, 1])
def test_the_edits_that_show_something_are_added(tmp_path, version):
    path = tmp_path / "a.mp4"
    path.write_bytes(movie((500, -1), (1500, 0), (250, 9000), version=version))
    assert shown_seconds(path) == 1.75


def test_any_bytes_are_a_file_without_edits(tmp_path, root):
    path = tmp_path / "a.mp4"
    whole = movie((1000, 0))
    rng = np.random.default_rng(0)
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        assert shown_seconds(path) in (None, 1.0)
    for _ in range(300):
        content = bytearray(whole)
        for at in rng.integers(0, len(whole), 3):
            content[at] = rng.integers(256)
        path.write_bytes(content)
        shown_seconds(path)
    assert shown_seconds(tmp_path / "missing.mp4") is None
    shutil.copy(root / "tests/golden/demo.jpg", path)
    assert shown_seconds(path) is None
