"""A run that a kill stopped goes on and ends as if nothing had been."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import numpy as np
import pytest
from scenes import draw_dataset

from edgeseg.benchmarks.accuracy.reference import open_reference
from edgeseg.runtime.pictures.files import read_ids

# Kills itself, as `kill -9` does, in the middle of writing a line
DYING = """
import os, signal
from edgeseg.runtime.accuracy.journal import Journal

whole = Journal._write

def torn(self, values):
    if values.get("name") == "scene5":
        os.write(self._file.fileno(), b'{"name":"scene5","own":[[0,')
        os.kill(os.getpid(), signal.SIGKILL)
    whole(self, values)

Journal._write = torn
"""
RUN = "from {module} import {name}; {name}()"
EVAL = RUN.format(module="edgeseg.runtime.cli", name="main")
REFERENCE = RUN.format(module="edgeseg.benchmarks.commands.reference", name="reference")


def process(code, *arguments, dying=False):
    command = [sys.executable, "-c", DYING * dying + code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw_dataset(tmp_path_factory.mktemp("drawn"))


def test_a_killed_eval_ends_with_the_same_record(golden_model, drawn, tmp_path):
    whole, stopped = tmp_path / "whole.json", tmp_path / "stopped.json"
    run = ("eval", golden_model, drawn, "--classes", "disc,square", "--json")
    assert process(EVAL, *run, whole).returncode == 0
    died = process(EVAL, *run, stopped, dying=True)
    assert died.returncode == -signal.SIGKILL
    assert not stopped.exists()
    journal = tmp_path / "stopped.json.journal"
    assert journal.read_bytes().count(b"\n") == 6  # the run and five pictures
    done = process(EVAL, *run, stopped)
    assert done.returncode == 0, done.stderr
    assert "going on after 5 pictures" in done.stderr
    assert stopped.read_bytes() == whole.read_bytes()
    assert not journal.exists()


def test_resume_names_a_journal_without_a_record(golden_model, drawn, tmp_path):
    run = ("eval", golden_model, drawn, "--resume", tmp_path / "notes")
    assert process(EVAL, *run, dying=True).returncode == -signal.SIGKILL
    done, whole = process(EVAL, *run), process(EVAL, *run[:3])
    assert "going on after 5 pictures" in done.stderr
    assert done.stdout == whole.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("--limit", "8"), "limit"),
        (("--classes", "disc"), "classes"),
        (("--stretch",), "manifest"),
        (("--threads", "1"), "device"),
    ],
)
def test_the_journal_of_another_run_is_refused(
    change, word, golden_model, drawn, tmp_path
):
    run = ("eval", golden_model, drawn, "--threads", "2", "--resume", tmp_path / "n")
    assert process(EVAL, *run, dying=True).returncode == -signal.SIGKILL
    done = process(EVAL, *run, *change)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert f"is the journal of another run (other {word})" in done.stderr


def test_a_killed_reference_ends_with_the_same_record(golden_model, drawn, tmp_path):
    folders = whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert process(REFERENCE, golden_model, drawn, "-o", whole).returncode == 0
    run = (golden_model, drawn, "-o", stopped)
    assert process(REFERENCE, *run, dying=True).returncode == -signal.SIGKILL
    refused = process(EVAL, "eval", golden_model, drawn, "--against", stopped)
    assert refused.returncode == 1
    assert "unfinished: repeat the same edgeseg reference" in refused.stderr
    done = process(REFERENCE, *run)
    assert done.returncode == 0, done.stderr
    assert "going on after 5 pictures" in done.stderr
    for name in ("reference.json", "pictures.jsonl"):
        assert (whole / name).read_bytes() == (stopped / name).read_bytes()
    names = open_reference(whole).names
    assert len(names) == 12
    for name in names:
        maps = [read_ids(folder / "ids" / f"{name}.png") for folder in folders]
        np.testing.assert_array_equal(*maps)
    record = json.loads((stopped / "reference.json").read_text())
    assert record["images"] == 12
