"""What is kept, and what happens where a disk is nearly full."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import time
from contextlib import suppress

import numpy as np
import pytest

from edgeseg.runtime.output.recording.dated_name import DatedName
from edgeseg.runtime.output.recording.options import video_options
from edgeseg.runtime.output.recording.space import Space


@pytest.fixture
def small_disk(tmp_path):
    """A file system with room for 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def old(path, days, size=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    moment = time.time() - 86400 * days
    os.utime(path, (moment, moment))
    return path


def test_old_files_of_the_name_go_and_no_others(tmp_path, record):
    gone = old(tmp_path / "door-20200101-000000.mkv", 8)
    numbered = old(tmp_path / "door-20200101-000000-2.mkv", 8)
    kept = [
        old(tmp_path / name, 8)
        for name in (
            "back-20200101-000000.mkv",
            "door-20200101.mkv",
            "door-20200101-000000.mp4",
            "door-20200101-000000.part.txt",
            "sub/door-20200101-000000.mkv",
        )
    ]
    kept.append(old(tmp_path / "door-20200107-000000.mkv", 6))
    text = f"{tmp_path}/door-%Y%m%d-%H%M%S.mkv?keep=7d"
    record(text, [0.0, 0.1])
    assert not gone.exists()
    assert not numbered.exists()
    assert all(path.exists() for path in kept)


def test_the_oldest_go_where_all_are_too_large(tmp_path, record):
    names = [f"door-2020010{day}-000000.mkv" for day in range(1, 9)]
    paths = [old(tmp_path / name, 9 - n, 200_000) for n, name in enumerate(names)]
    text = f"{tmp_path}/door-%Y%m%d-%H%M%S.mkv?keep=1500kB&piece=1s"

    def total():
        return sum(path.stat().st_size for path in tmp_path.iterdir())

    record(text, np.arange(25) / 10)
    left = [path.exists() for path in paths]
    assert left == sorted(left)
    assert left[0] < left[-1]
    assert 1_100_000 < total() <= 1_500_000
    for _ in range(3):  # and after a restart
        record(text, np.arange(15) / 10)
        assert total() <= 1_500_000
    assert sum(path.exists() for path in paths) < sum(left)


def test_the_file_that_is_written_and_others_files_stay(tmp_path):
    name = DatedName(f"{tmp_path}/%Y.mkv")
    part = old(tmp_path / "2020.part.mkv", 9, 1000)
    theirs = old(tmp_path / "2019.mkv", 9, 1000)
    if os.geteuid() == 0:
        os.chown(theirs, 12345, 12345)
    else:
        theirs.unlink()
    mine = old(tmp_path / "2021.mkv", 9, 1000)
    Space(name, video_options(["keep=1d&keep=10B"])).has_room(1000)
    assert part.exists()
    assert not mine.exists()
    assert theirs.exists() == (os.geteuid() == 0)


def test_folders_of_dates_go_with_their_last_file(tmp_path):
    old(tmp_path / "all" / "2020" / "01" / "05.mkv", 9)
    new = old(tmp_path / "all" / "2020" / "02" / "05.mkv", 1)
    name = DatedName(f"{tmp_path}/all/%Y/%m/%d.mkv")
    Space(name, video_options(["keep=7d"])).has_room()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [new]
    assert not (tmp_path / "all" / "2020" / "01").exists()


def test_a_nearly_full_disk_gets_room_by_the_oldest(small_disk, record):
    paths = [
        old(small_disk / f"door-2020010{day}-000000.mkv", 9 - day, 300_000)
        for day in range(1, 7)
    ]
    text = f"{small_disk}/door-%Y%m%d-%H%M%S.mkv?keep=90d&free=700kB"
    states = record(text, np.arange(20) / 10)
    assert all(state["connected"] for state in states)
    assert [path.exists() for path in paths[:3]] == [False, False, True]
    assert len(list(small_disk.iterdir())) == 5


def test_without_keep_nothing_goes_and_the_run_goes_on(
    small_disk, record, numbers_in, caplog
):
    precious = old(small_disk / "door-20200101-000000.mkv", 99, 500_000)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(1_200_000))
    text = f"{small_disk}/door-%Y%m%d-%H%M%S.mkv?free=700kB"

    def times():
        yield from np.arange(10) / 10
        filler.unlink()
        time.sleep(1.1)
        yield from 1 + np.arange(10) / 10

    states = record(text, times())
    assert [state["connected"] for state in states] == [False] * 10 + [True] * 10
    assert "are free, 700 kB are to stay free" in states[0]["error"]
    assert not states[-1].pop("disk_full")
    assert states[-1] == {"connected": True, "reconnects": 1, "error": None}
    said = [line for line in caplog.messages if "PyAV" not in line]
    assert len(said) == 2
    assert said[0].startswith("the disk is nearly full: ")
    assert said[1].startswith("there is room again for ")
    assert precious.exists()
    (made,) = set(small_disk.iterdir()) - {precious}
    assert numbers_in(made) == list(range(10, 20))


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".avi"])
def test_a_disk_that_fills_up_ends_a_piece_and_not_the_run(
    suffix, small_disk, record, numbers_in, caplog
):
    filler = small_disk / "filler"

    def times():
        yield from np.arange(30) / 10
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        yield from 3 + np.arange(30) / 10
        filler.unlink()
        time.sleep(1.1)
        yield from 6 + np.arange(10) / 10

    states = record(f"{small_disk}/a-%H%M%S{suffix}?free=0", times(), fps=10.0)
    assert states[29]["connected"]
    assert not states[59]["connected"]
    assert "No space left on device" in states[59]["error"]
    assert states[-1]["connected"]
    assert sum("nearly full" in line.getMessage() for line in caplog.records) == 1
    pieces = sorted(small_disk.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    found = [numbers_in(path) for path in pieces]
    assert found[-1] == list(range(60, 70))
    has_av = importlib.util.find_spec("av") is not None
    if has_av and suffix != ".avi":  # with OpenCV the index is at the end
        assert found[0][:15] == list(range(15))


def test_what_does_not_help_is_not_removed(small_disk, record):
    """Another program fills the disk: all recordings would not be enough."""
    mine = old(small_disk / "door-2020.mkv", 99, 100_000)
    (small_disk / "filler").write_bytes(bytes(1_800_000))
    states = record(f"{small_disk}/door-%Y.mkv?keep=900d&free=1MB", [0.0, 0.1])
    assert not states[-1]["connected"]
    assert mine.exists()


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".avi"])
def test_a_disk_that_is_full_at_the_end_of_a_piece(suffix, small_disk, record, caplog):
    """What ends a file cannot be written either: that is no error of the run."""

    def times():
        yield from np.arange(15) / 10
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        time.sleep(1.1)
        yield from 1.5 + np.arange(5) / 10

    text = f"{small_disk}/a-%H%M%S{suffix}?free=100kB&piece=10s"
    states = record(text, times(), fps=10.0)
    assert not states[-1]["connected"]
    assert sum("nearly full" in line.getMessage() for line in caplog.records) == 1
