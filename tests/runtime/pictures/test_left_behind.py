"""What a killed process has left is removed by the next one, and nothing else is."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from edgeseg.runtime.pictures.atomic import write_bytes

WRITER = """
import os, signal, sys
from pathlib import Path
from edgeseg.runtime.pictures.atomic import replacing

with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half")
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def start():
    """Start a process that has half of a file written, and waits."""
    processes = []

    def started(path):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        processes.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield started
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name", ["a.png", "model.keras", "no suffix", "x" * 250])
def test_a_killed_writers_file_is_removed(start, tmp_path, name):
    process = start(tmp_path / name)
    assert len(list(tmp_path.iterdir())) == 1
    process.kill()
    assert process.wait() == -signal.SIGKILL
    write_bytes(tmp_path / "other.txt", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]


def test_a_file_that_is_being_written_stays(start, tmp_path):
    process = start(tmp_path / "first.txt")
    write_bytes(tmp_path / "second.txt", b"whole")
    process.communicate(b"")
    assert process.returncode == 0
    assert (tmp_path / "first.txt").read_bytes() == b"half"


def test_files_of_others_stay(tmp_path):
    mine = (".a-abcdefgh.png", ".edgeseg-notes.txt", "edgeseg-abcdefgh.png", ".hidden")
    for name in mine:
        (tmp_path / name).touch()
    link = tmp_path / ".edgeseg-abcdefgh.png"
    link.symlink_to(tmp_path / ".hidden")
    write_bytes(tmp_path / "new.txt", b"whole")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {*mine, link.name, "new.txt"}
