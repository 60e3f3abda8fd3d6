"""Lines are whole, and a file is there from its first line on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from edgeseg.devices import OutputError
from edgeseg.runtime.output.line_file import LineFile

LINE = "x" * 999 + "\n"
EDGESEG = (sys.executable, "-c", "from edgeseg.runtime.cli import main; main()")


def fill(path, **options):
    """Write lines until the disk is full."""
    with (
        LineFile(path, **options) as lines,
        pytest.raises(OutputError, match="No space left on device"),
    ):
        write_for_ever(lines)


def write_for_ever(lines):
    while True:
        lines.write(LINE)


def test_nothing_is_there_before_the_first_line(tmp_path):
    path = tmp_path / "new" / "found.jsonl"
    LineFile(path).close()
    assert not path.parent.exists()
    path.parent.mkdir()
    path.write_text("old\n")
    LineFile(path).close()
    assert path.read_text() == "old\n"
    with LineFile(path) as lines:
        lines.write("a\n")
        assert path.read_text() == "a\n"
        lines.write("b\n")
        assert path.read_text() == "a\nb\n"
    assert os.listdir(path.parent) == [path.name]


def test_on_a_full_disk_every_line_is_whole(full_disk):
    path = full_disk / "new" / "found.jsonl"
    fill(path)
    assert set(path.read_text().splitlines(keepends=True)) == {LINE}
    fill(path, append=True)
    assert set(path.read_text().splitlines(keepends=True)) == {LINE}


def test_on_a_disk_too_full_for_a_line_what_was_there_stays(full_disk):
    old, new = full_disk / "old.jsonl", full_disk / "new" / "found.jsonl"
    old.write_text("old\n")
    (full_disk / "fill").write_bytes(bytes(36_000))
    before = sorted(full_disk.iterdir())
    for path in (old, new):
        fill(path)
        assert sorted(full_disk.iterdir()) == before
    assert old.read_text() == "old\n"


def test_standard_output_on_a_full_disk_ends_with_a_whole_line(full_disk, golden_model):
    path = full_disk / "lines"
    source = "synthetic:64x48,frames=300"
    with path.open("wb") as file:
        done = subprocess.run(
            [*EDGESEG, "run", golden_model, source, "-o", "-"],
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert (
        done.stderr.splitlines()[-1] == "Error: cannot write -: No space left on device"
    )
    assert path.read_bytes().endswith(b"}\n")


def test_a_link_stays_one(tmp_path):
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)
    with LineFile(link) as lines:
        lines.write("a\n")
    assert link.is_symlink()
    assert target.read_text() == "a\n"


def test_a_removed_folder_is_told(tmp_path):
    lines = LineFile(tmp_path / "new" / "found.jsonl")
    lines.write("a\n")
    shutil.rmtree(tmp_path / "new")
    with pytest.raises(OutputError, match="was removed while it was written"):
        lines.write("b\n")
    lines.close()


def test_a_pipe_that_nobody_reads_is_one_line_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="a named pipe that nobody reads"):
        LineFile(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with LineFile(tmp_path / "pipe") as lines:
        lines.write("a\n")
    assert os.read(reader, 10) == b"a\n"
    os.close(reader)
