from __future__ import annotations

import json
import os

import pytest

from edgeseg.devices import InputError, OutputError
from edgeseg.runtime.accuracy.journal import Journal

RUN = {"journal": "a run", "model": "abc", "classes": ("x", "y")}
ROWS = [{"name": "one", "n": [1, 2]}, {"name": "two", "n": []}]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "run.journal"


@pytest.fixture
def written(path):
    with Journal(path, RUN) as journal:
        for row in ROWS:
            journal.append(row)
    return path


def test_rows_are_there_again(written):
    with Journal(written, RUN) as journal:
        assert list(journal.rows) == ROWS


def test_a_torn_last_line_is_dropped_at_every_byte(written):
    content = written.read_bytes()
    second = content.rindex(b"\n", 0, -1) + 1
    for length in range(second, len(content)):
        written.write_bytes(content[:length])
        with Journal(written, RUN) as journal:
            assert list(journal.rows) == ROWS[:1]
            journal.append(ROWS[1])
        assert written.read_bytes() == content


def test_a_torn_first_line_is_begun_again(written):
    content = written.read_bytes()
    for length in range(content.index(b"\n") + 1):
        written.write_bytes(content[:length])
        with Journal(written, RUN) as journal:
            assert journal.rows == ()
            for row in ROWS:
                journal.append(row)
        assert written.read_bytes() == content


def test_the_journal_of_another_run_is_refused_and_kept(written):
    before = written.read_bytes()
    with pytest.raises(InputError, match=r"another run \(other classes, model\)"):
        Journal(written, {**RUN, "model": "def", "classes": None})
    assert written.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b'{"a": 1}', b'{"a": 1}\n', b"[1]\n", b"words", b"\x00\xff\n", b"{\n"]
)
def test_another_file_is_refused_and_kept(content, tmp_path):
    path = tmp_path / "record.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"record\.json is "):
        Journal(path, RUN)
    assert path.read_bytes() == content


def test_a_damaged_line_in_the_middle_is_refused(written):
    lines = written.read_bytes().splitlines(keepends=True)
    written.write_bytes(lines[0] + b"{torn\n" + lines[2])
    with pytest.raises(InputError, match=r"one JSON object a line, got b.\{torn"):
        Journal(written, RUN)


def test_two_runs_do_not_share_a_journal(path):
    with Journal(path, RUN), pytest.raises(OutputError, match="in use"):
        Journal(path, RUN)


def test_nothing_is_left_of_a_run_that_did_nothing(path, written):
    with Journal(path.with_name("other"), RUN):
        pass
    assert [file.name for file in path.parent.iterdir()] == [written.name]


def test_removed_when_done(written):
    with Journal(written, RUN) as journal:
        journal.remove()
        with pytest.raises(OutputError, match="closed"):
            journal.append({})
    assert not written.exists()


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        Journal(tmp_path / "file" / "run.journal", RUN)


def test_each_line_is_json(written):
    lines = [json.loads(line) for line in written.read_text().splitlines()]
    assert lines == [{**RUN, "classes": ["x", "y"]}, *ROWS]


def append_for_ever(journal):
    while True:
        journal.append({"name": "x" * 900})


def test_a_full_disk_keeps_whole_lines_and_the_run_goes_on(full_disk):
    path = full_disk / "journal"
    with (
        Journal(path, {"run": 1}) as journal,
        pytest.raises(OutputError, match="No space left on device"),
    ):
        append_for_ever(journal)
    assert path.read_bytes().endswith(b"}\n")
    with Journal(path, {"run": 1}) as journal:
        assert len(journal.rows) > 10


def test_a_disk_too_full_for_the_first_line_gets_nothing(full_disk):
    (full_disk / "fill").write_bytes(bytes(40_000))
    with pytest.raises(OutputError, match="No space left on device"):
        Journal(full_disk / "journal", {"run": "x" * 2000})
    assert os.listdir(full_disk) == ["fill"]


def test_a_pipe_is_no_journal(tmp_path):
    os.mkfifo(tmp_path / "journal")
    with pytest.raises(OutputError, match="is a named pipe, expected a file"):
        Journal(tmp_path / "journal", {"run": 1})
