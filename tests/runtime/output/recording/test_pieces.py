"""Recordings in pieces, looked at frame by frame."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from itertools import chain

import numpy as np
import pytest

from edgeseg.devices import InputError, OutputError
from edgeseg.runtime import Manifest, Style
from edgeseg.runtime.output.open import open_sink


@pytest.fixture
def pyav():
    pytest.importorskip("av", reason="needs the extra `video`")
    if not shutil.which("ffprobe"):
        pytest.skip("needs the program ffprobe: not there")


def duration_s(path):
    command = ["ffprobe", "-v", "error", "-show_format", "-of", "json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not done.stderr
    return float(json.loads(done.stdout)["format"]["duration"])


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov", ".avi"])
def test_no_frame_is_lost_or_doubled_between_pieces(
    suffix, tmp_path, record, numbers_in
):
    record(f"{tmp_path}/%Y%m%d-%H%M%S{suffix}?piece=2s", np.arange(95) / 10, fps=10.0)
    pieces = sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert all(re.fullmatch(r"\d{8}-\d{6}(-\d)?", path.stem) for path in pieces)
    found = [numbers_in(path) for path in pieces]
    assert [len(each) for each in found] == [20, 20, 20, 20, 15]
    assert [*chain(*found)] == list(range(95))


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_the_times_of_pieces_join(suffix, tmp_path, record, pyav):
    steps = np.random.default_rng(1).choice([0.03, 0.1, 0.4], 60)
    times = 7 + np.concatenate([[0], np.cumsum(steps)])
    record(f"{tmp_path}/clip{suffix}?piece=3s", times)
    pieces = sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert [path.stem for path in pieces] == ["clip", "clip-2", "clip-3", "clip-4"][
        : len(pieces)
    ]
    lengths = [duration_s(path) for path in pieces]
    assert all(3 <= length < 3.5 for length in lengths[:-1])
    assert sum(lengths) == pytest.approx(times[-1] + steps[-1] - 7, abs=0.02)


def test_a_piece_stays_below_its_size(tmp_path, record, numbers_in, pyav):
    record(f"{tmp_path}/%H%M%S.mkv?piece=200kB", np.arange(400) / 20)
    pieces = sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert len(pieces) > 3
    assert all(path.stat().st_size <= 200_000 for path in pieces)
    assert all(path.stat().st_size > 100_000 for path in pieces[:-1])
    assert [*chain(*map(numbers_in, pieces))] == list(range(400))


def test_what_comes_first_ends_a_piece(tmp_path, record, pyav):
    record(f"{tmp_path}/a-%H%M%S.mkv?piece=1s&piece=1GB", np.arange(30) / 10)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_plain_name_is_replaced_by_a_run_with_an_end(tmp_path, record, numbers_in):
    path = tmp_path / "clip.mp4"
    record(path, [0.0, 0.1, 0.2])
    record(path, [0.0, 0.1])
    assert list(tmp_path.iterdir()) == [path]
    assert numbers_in(path) == [0, 1]


def test_a_camera_s_recording_replaces_none(tmp_path, record, numbers_in):
    path = tmp_path / "clip.mp4"
    for count in (3, 2, 1):
        record(path, np.arange(count) / 10, live=True)
    found = {each.name: len(numbers_in(each)) for each in tmp_path.iterdir()}
    assert found == {"clip.mp4": 3, "clip-2.mp4": 2, "clip-3.mp4": 1}


def test_what_a_kill_has_left_of_a_piece_is_kept(tmp_path, record, numbers_in, pyav):
    record(tmp_path / "whole.mkv", np.arange(30) / 10)
    (tmp_path / "whole.mkv").rename(tmp_path / "door-20200101-000000.part.mkv")
    (tmp_path / "door-20200101-000001.part.mkv").write_bytes(b"headers")
    (tmp_path / "other-20200101.part.mkv").write_bytes(b"not of this name")
    record(f"{tmp_path}/door-%Y%m%d-%H%M%S.mkv?piece=9s", [0.0, 0.1])
    names = {path.name for path in tmp_path.iterdir()}
    assert "door-20200101-000000.mkv" in names
    assert len(numbers_in(tmp_path / "door-20200101-000000.mkv")) == 30
    assert "other-20200101.part.mkv" in names
    assert "door-20200101-000001.part.mkv" not in names
    assert len(names) == 3


def test_two_runs_of_one_name_do_not_disturb_each_other(tmp_path, numbers_in):
    child = (
        "import sys, time\nimport numpy as np\n"
        "from edgeseg.runtime import Capture, Manifest, Segmentation, Style\n"
        "from edgeseg.runtime import open_sink\n"
        "sink = open_sink(sys.argv[1], Style(Manifest(), live=True))\n"
        "ids = np.zeros((48, 64), np.uint8)\n"
        "frame = np.zeros((48, 64, 3), np.uint8)\n"
        "for n in range(20):\n"
        "    sink.write(Capture(frame, 'x', n / 10), Segmentation(ids, (), {}))\n"
        "    if n == 10:\n"
        "        print('ready', flush=True)\n"
        "        sys.stdin.readline()\n"
        "sink.close()\n"
    )
    text = f"{tmp_path}/clip.mp4"
    runs = []
    for _ in range(2):
        command = [sys.executable, "-c", child, text]
        run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert run.stdout.readline() == b"ready\n"
        runs.append(run)
    for run in runs:
        run.communicate(b"\n", timeout=60)
        assert run.returncode == 0
    assert {p.name: len(numbers_in(p)) for p in tmp_path.iterdir()} == {
        "clip.mp4": 20,
        "clip-2.mp4": 20,
    }


def test_a_file_that_another_run_records_is_not_put_aside(tmp_path, record):
    style = Style(Manifest(labels=("background", "person")))
    import fcntl

    part = tmp_path / "clip.part.mp4"
    part.write_bytes(bytes(5000))
    with part.open("rb") as held, open_sink(f"{tmp_path}/clip.mp4", style):
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="recorded by another run"):
            record(tmp_path / "clip.mp4", [0.0, 0.1])
    assert list(tmp_path.iterdir()) == [part]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("piece=10", "piece: expected seconds, minutes, hours or days such as 30s"),
        ("piece=0s", "piece: expected seconds"),
        ("keep=soon", "keep: expected"),
        ("free=lots", "free: expected bytes such as 500MB"),
        ("pieces=10m", "unknown option 'pieces'; known: piece, keep, free"),
        ("piece=1m&piece=2m", "piece: expected one value of a kind, got two"),
        ("before=3s", "before: expected on=CLASS beside it"),
        ("on=persn", "unknown class 'persn'; known: background, person"),
        ("on=person&area=200%", "area: expected a part of the picture"),
        ("audio=loud", "audio: expected one of copy, drop"),
        ("audio=copy", "expected a video file as the source"),
    ],
)
def test_a_wrong_option_is_one_line(options, words, tmp_path):
    style = Style(Manifest(labels=("background", "person")))
    with pytest.raises(InputError, match=re.escape(words)):
        open_sink(f"{tmp_path}/a.mkv?{options}", style)
    assert not list(tmp_path.iterdir())


def test_what_is_missing_without_pyav_is_said_once(
    tmp_path, record, numbers_in, monkeypatch, caplog
):
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "edgeseg.runtime.output.video_pyav", False)
    record(f"{tmp_path}/%H%M%S.mp4?piece=1s", np.arange(30) / 10, fps=10.0)
    assert caplog.text.count("edgeseg[video]") == 1
    assert len(list(tmp_path.iterdir())) == 3
    assert sum(len(numbers_in(path)) for path in tmp_path.iterdir()) == 30


def test_a_file_named_like_options_is_a_path(tmp_path, record):
    odd = tmp_path / "a.mkv?piece=1s"
    odd.touch()
    with pytest.raises(InputError):
        open_sink(str(odd), Style(Manifest()))
    assert odd.stat().st_size == 0
    assert os.listdir(tmp_path) == [odd.name]
