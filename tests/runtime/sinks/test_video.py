"""Recordings, as ffprobe sees them."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from edgeseg.devices import OutputError
from edgeseg.runtime import Capture, Manifest, Segmentation, Style
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.output.open import open_sink

needs_av = pytest.mark.skipif(
    not shutil.which("ffprobe"), reason="needs the program ffprobe: not there"
)
BASE = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
CHILD = """
import sys, time
import numpy as np
from edgeseg.runtime import Capture, Manifest, Segmentation, Style
from edgeseg.runtime.output.open import open_sink
base = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
ids = np.zeros((120, 160), np.uint8)
sink = open_sink(sys.argv[1], Style(Manifest(labels=("background",))))
for n in range(10**9):
    frame = np.roll(base, n, axis=1)
    sink.write(Capture(frame, "x", n / 20), Segmentation(ids, (), {}))
    if n == 70:
        print("ready", flush=True)
"""


@pytest.fixture(autouse=True)
def _pyav():
    pytest.importorskip("av", reason="needs the extra `video`")


def style_of(fps=None):
    return Style(Manifest(labels=("background",)), fps=fps)


def record(path, times, fps=None, shape=(120, 160)):
    with open_sink(str(path), style_of(fps)) as sink:
        for n, time_s in enumerate(times):
            frame = np.roll(BASE, 3 * n, axis=1)[: shape[0], : shape[1]]
            ids = np.zeros(frame.shape[:2], np.uint8)
            sink.write(Capture(frame, "x", time_s), Segmentation(ids, (), {}))


def probe(path):
    shown = ("-show_streams", "-show_format", "-show_packets", "-of", "json")
    command = ["ffprobe", "-v", "error", *shown, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not done.stderr
    found = json.loads(done.stdout)
    stamps = [float(packet["pts_time"]) for packet in found["packets"]]
    duration = float(found["format"].get("duration", "nan"))  # a cut .mkv has none
    return found["streams"][0], duration, stamps


@needs_av
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_frames_keep_their_capture_times(suffix, tmp_path):
    steps = np.random.default_rng(1).choice([0.02, 0.05, 0.4], 40)
    times = 5 + np.concatenate([[0], np.cumsum(steps)])
    record(tmp_path / f"clip{suffix}", times)
    stream, duration, stamps = probe(tmp_path / f"clip{suffix}")
    np.testing.assert_allclose(stamps, times - 5, atol=0.002)
    assert duration == pytest.approx(stamps[-1] + steps[-1], abs=0.01)
    assert stream["codec_name"] == "h264"
    if suffix != ".mkv":  # Matroska has a label instead
        rate = float(Fraction(stream["avg_frame_rate"]))
        assert rate == pytest.approx(41 / duration, rel=0.01)


@needs_av
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("fps", [10.0, 30000 / 1001])
def test_a_file_s_rate_stays(suffix, fps, tmp_path):
    record(tmp_path / f"clip{suffix}", np.arange(50) / fps, fps)
    stream, duration, stamps = probe(tmp_path / f"clip{suffix}")
    assert float(Fraction(stream["avg_frame_rate"])) == pytest.approx(fps, rel=0.001)
    assert duration == pytest.approx(50 / fps, abs=0.002)
    assert len(stamps) == 50


@needs_av
def test_pictures_without_time_are_shown_half_a_second_each(tmp_path):
    record(tmp_path / "clip.mp4", [0.0] * 6)
    _, duration, stamps = probe(tmp_path / "clip.mp4")
    np.testing.assert_allclose(stamps, np.arange(6) / 2, atol=0.001)
    assert duration == pytest.approx(3)


@needs_av
def test_one_frame_is_a_video(tmp_path):
    record(tmp_path / "clip.mp4", [3.0], fps=10.0)
    assert probe(tmp_path / "clip.mp4")[1:] == (pytest.approx(0.1), [0.0])


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_odd_sides_are_padded_and_the_picture_is_that_drawn(suffix, tmp_path):
    frame = np.full((47, 63, 3), (200, 60, 30), np.uint8)
    with open_sink(str(tmp_path / f"clip{suffix}"), style_of()) as sink:
        for n in range(3):
            ids = np.zeros((47, 63), np.uint8)
            sink.write(Capture(frame, "x", n / 5), Segmentation(ids, (), {}))
    with open_source(str(tmp_path / f"clip{suffix}")) as source:
        frames = [capture.frame for capture in source.captures()]
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
    np.testing.assert_allclose(frames[0], np.full_like(frames[0], frame[0, 0]), atol=6)


@needs_av
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_a_killed_recording_plays_and_is_not_overwritten(suffix, tmp_path):
    path = tmp_path / f"clip{suffix}"
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE
    ) as child:
        assert child.stdout.readline() == b"ready\n"
        child.send_signal(signal.SIGKILL)
    part = tmp_path / f"clip.part{suffix}"
    stamps = probe(part)[2]
    assert len(stamps) >= 40  # of 71; what is lost is the last second, of 20 frames
    with open_source(str(part)) as source:
        assert sum(1 for _ in source.captures()) >= 40
    record(path, [0.0, 0.1])
    kept = tmp_path / f"clip.unfinished-1{suffix}"
    assert sorted(tmp_path.iterdir()) == sorted([path, kept])
    assert len(probe(kept)[2]) == len(stamps)


@needs_av
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_a_recording_that_was_killed_without_a_frame_is_not_kept(suffix, tmp_path):
    """Its headers alone are on the disk, which no program plays."""
    path, part = tmp_path / f"clip{suffix}", tmp_path / f"clip.part{suffix}"
    with open_sink(str(path), style_of()) as sink:
        ids = np.zeros((120, 160), np.uint8)
        for time_s in (0.0, 0.1):
            sink.write(Capture(BASE, "x", time_s), Segmentation(ids, (), {}))
        headers = part.read_bytes()
    assert 0 < len(headers) < 1024
    part.write_bytes(headers)
    record(path, [0.0, 0.1])
    assert list(tmp_path.iterdir()) == [path]


@needs_av
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_full_disk_is_one_line_and_what_was_recorded_plays(suffix, tmp_path):
    path = tmp_path / f"clip{suffix}"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, before[1]))
    try:
        with pytest.raises(OutputError) as caught:
            record(path, np.arange(2000) / 20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    assert str(caught.value).startswith(f"cannot write {path}: File too large")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [path]
    with open_source(str(path)) as source:
        frames = sum(1 for _ in source.captures())
    assert frames > 20


def test_without_pyav_there_is_a_warning_and_a_constant_rate(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "edgeseg.runtime.output.video_pyav", False)
    record(tmp_path / "clip.mp4", [0.0, 0.1, 0.2], fps=10.0)
    assert caplog.text.count("edgeseg[video]") == 1
    with open_source(str(tmp_path / "clip.mp4")) as source:
        assert source.fps == 10
        assert sum(1 for _ in source.captures()) == 3


def test_nothing_written_leaves_nothing(tmp_path):
    open_sink(str(tmp_path / "clip.mp4"), style_of()).close()
    assert not list(tmp_path.iterdir())


@needs_av
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".avi"])
def test_a_disk_too_full_for_a_frame_gets_nothing(suffix, full_disk):
    (full_disk / "fill").write_bytes(bytes(36_000))
    before = sorted(full_disk.iterdir())
    with pytest.raises(OutputError, match=r"No space left on device$"):
        record(full_disk / "new" / f"clip{suffix}", np.arange(200) / 20)
    assert sorted(full_disk.iterdir()) == before


@needs_av
@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_what_others_planted_at_the_part_s_name_is_not_followed(suffix, tmp_path):
    theirs = tmp_path / "theirs"
    for target in (theirs, tmp_path / "missing"):
        theirs.write_bytes(b"precious")
        (tmp_path / f"clip.part{suffix}").symlink_to(target)
        with pytest.raises(OutputError, match="is in the way, and is no file"):
            record(tmp_path / f"clip{suffix}", [0.0, 0.1])
        (tmp_path / f"clip.part{suffix}").unlink()
        assert theirs.read_bytes() == b"precious"
        assert not (tmp_path / "missing").exists()
    os.mkfifo(tmp_path / f"clip.part{suffix}")
    with pytest.raises(OutputError, match="is in the way, and is no file"):
        record(tmp_path / f"clip{suffix}", [0.0, 0.1])


@needs_av
def test_a_folder_that_is_removed_while_recording_is_told(tmp_path):
    path = tmp_path / "new" / "clip.mp4"
    sink = open_sink(str(path), style_of())
    ids = np.zeros(BASE.shape[:2], np.uint8)
    sink.write(Capture(BASE, "x", 0.0), Segmentation(ids, (), {}))
    shutil.rmtree(path.parent)
    with pytest.raises(OutputError, match="was removed while it was recorded"):
        sink.check()
    with pytest.raises(OutputError, match="No such file"):
        sink.close()
    assert not path.parent.exists()
