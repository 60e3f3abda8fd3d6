"""The committed record holds what the table says."""

from __future__ import annotations

import json

import pytest

from edgeseg.benchmarks.studies.peers.__main__ import table_of
from edgeseg.benchmarks.studies.peers.peers import PEERS

_TRIED = ("peers", "failures")


@pytest.fixture(scope="module")
def record(root):
    return json.loads((root / "benchmarks" / "results" / "peers.json").read_text())


def test_four_peers_or_more_really_ran(record, root):
    path = root / "benchmarks" / "results" / "requantized-openvino.json"
    others = json.loads(path.read_text())  # a run of its own
    assert len(record["peers"]) >= 4
    tried = {name for r in (record, others) for key in _TRIED for name in r[key]}
    assert tried == set(PEERS)


def test_every_row_says_what_it_is_of(record):
    for row in [*record["peers"].values(), *record["edgeseg"].values()]:
        assert len(row["model_sha256"]) == 64
        assert row["versions"]
        assert row["threads"]
        assert 0 <= row["agreement_with_edgeseg"] <= 1


def test_quartiles_enclose_every_median(record):
    for row in record["peers"].values():
        for spread in [*row["ms"].values(), *row["ratio_to_edgeseg"].values()]:
            assert 0 <= spread["q1"] <= spread["median"] <= spread["q3"]


def test_the_table_has_a_line_for_everyone(record):
    table = table_of(record)
    for row in record["peers"].values():
        assert f"| {row['about']} |" in table
    for name, reason in record["failures"].items():
        assert f"{name}: {reason}" in table
    timed = [row for row in record["edgeseg"].values() if "ms" in row]
    head = 2
    lines = head + len(timed) + len(record["peers"]) + len(record["failures"])
    assert len(table.splitlines()) == lines
