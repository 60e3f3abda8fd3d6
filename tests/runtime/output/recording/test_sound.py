"""The sound of a video in what is recorded of it, as ffprobe sees it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime import Look, Manifest, Segmentation, Style
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.output.open import open_sink

LABELS = Manifest(labels=("background", "person"))


def clip(folder, codec="aac", suffix=".mp4", seconds=6):
    path = folder / f"in{suffix}"
    pictures = f"testsrc=size=160x120:rate=10:duration={seconds}"
    tone = f"sine=frequency=440:sample_rate=48000:duration={seconds}"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", pictures]
    command += ["-f", "lavfi", "-i", tone, "-c:a", codec, str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if "Unknown encoder" in done.stderr:
        pytest.skip(f"this ffmpeg has no {codec}")
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(autouse=True)
def _programs():
    pytest.importorskip("av", reason="needs the extra `video`")
    for program in ("ffmpeg", "ffprobe"):
        if not shutil.which(program):
            pytest.skip(f"needs the program {program}: not there")


def run(path, text, *, every=1, frames=None, look=None):
    with open_source(str(path)) as source:
        style = Style(
            LABELS,
            look=look or Look(),
            fps=source.fps / every,
            sound=source.sound,
        )
        with open_sink(str(text), style) as sink:
            for number, capture in enumerate(source.captures()):
                if frames is not None and number >= frames:
                    break
                if number % every == 0:
                    ids = np.zeros(capture.frame.shape[:2], np.uint8)
                    sink.write(capture, Segmentation(ids, (), {}))


def probe(path):
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_packets"]
    done = subprocess.run(
        [*command, "-of", "json", str(path)], capture_output=True, text=True, check=True
    )
    assert not done.stderr
    found = json.loads(done.stdout)
    kinds = {each["index"]: each["codec_type"] for each in found["streams"]}
    times = {"video": [], "audio": []}
    for packet in found["packets"]:
        times[kinds[packet["stream_index"]]].append(float(packet["pts_time"]))
    codecs = {each["codec_type"]: each["codec_name"] for each in found["streams"]}
    return codecs, times


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("every", [1, 3])
def test_the_sound_is_copied(suffix, every, tmp_path):
    run(clip(tmp_path), tmp_path / f"out{suffix}", every=every)
    codecs, times = probe(tmp_path / f"out{suffix}")
    assert codecs == {"video": "h264", "audio": "aac"}
    assert len(times["video"]) == -(-60 // every)
    assert times["audio"][0] == pytest.approx(0, abs=0.05)
    assert times["audio"][-1] == pytest.approx(6, abs=0.1)
    steps = np.diff(times["audio"])
    np.testing.assert_allclose(steps, 1024 / 48000, atol=0.002)


def test_a_part_of_a_video_has_that_part_of_the_sound(tmp_path):
    run(clip(tmp_path), tmp_path / "out.mp4", frames=20)
    times = probe(tmp_path / "out.mp4")[1]
    assert times["audio"][-1] == pytest.approx(2, abs=0.05)


def test_the_sound_of_pieces_joins(tmp_path):
    source = clip(tmp_path)
    run(source, f"{tmp_path}/out/%H%M%S.mkv?piece=2s")
    pieces = sorted(
        (tmp_path / "out").iterdir(), key=lambda path: path.stat().st_mtime_ns
    )
    found = [probe(path)[1]["audio"] for path in pieces]
    assert len(found) == 3
    before = [time_s for time_s in probe(source)[1]["audio"] if time_s >= 0]
    joined = [2 * i + time_s for i, times in enumerate(found) for time_s in times]
    np.testing.assert_allclose(joined, before, atol=0.003)


def test_sound_that_does_not_fit_is_left_out_with_a_line(tmp_path, caplog):
    source = clip(tmp_path, "wmav2", ".mkv")
    run(source, tmp_path / "out.mp4")
    assert probe(tmp_path / "out.mp4")[0] == {"video": "h264"}
    (said,) = caplog.records
    assert f"the sound of {source} is left out: wmav2" in said.getMessage()
    with pytest.raises(InputError, match=r"cannot be copied: wmav2 .* a \.mkv takes"):
        run(source, f"{tmp_path}/more.mp4?audio=copy")
    assert not list(tmp_path.glob("more*"))


def test_an_avi_and_a_machine_without_pyav_say_so(tmp_path, caplog, monkeypatch):
    source = clip(tmp_path)
    run(source, tmp_path / "out.avi", frames=5)
    assert "expected a recording in .mp4" in caplog.text
    caplog.clear()
    monkeypatch.setitem(sys.modules, "av", None)
    for name in ("output.video_pyav", "capture.video_pyav", "output.video_colours"):
        monkeypatch.delitem(sys.modules, f"edgeseg.runtime.{name}", False)
    run(source, tmp_path / "out.mp4", frames=5)
    left_out = [line for line in caplog.messages if "is left out" in line]
    assert len(left_out) == 1
    assert "PyAV is not installed" in left_out[0]
    caplog.clear()
    run(tmp_path / "out.mp4", tmp_path / "silent.mp4", frames=5)
    assert "left out" not in caplog.text


def test_voices_are_not_copied_where_something_is_hidden(tmp_path, caplog):
    source, look = clip(tmp_path), Look(effect="hide")
    run(source, tmp_path / "out.mp4", look=look)
    assert probe(tmp_path / "out.mp4")[0] == {"video": "h264"}
    assert "voices are not hidden; ?audio=copy takes them over" in caplog.text
    run(source, f"{tmp_path}/asked.mp4?audio=copy", look=look)
    assert probe(tmp_path / "asked.mp4")[0]["audio"] == "aac"


def test_dropped_where_asked(tmp_path, caplog):
    run(clip(tmp_path), f"{tmp_path}/out.mp4?audio=drop")
    assert probe(tmp_path / "out.mp4")[0] == {"video": "h264"}
    assert not caplog.records
