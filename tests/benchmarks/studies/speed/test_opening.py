"""The study of what opening a model costs, on two names for this installation."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner

from edgeseg.benchmarks.studies.speed.opening import CASES, main


def test_needs_two_installations(golden_model):
    run = CliRunner().invoke(
        main, [str(golden_model), "--python", f"a={sys.executable}"]
    )
    assert run.exit_code == 2
    assert "expected --python NAME=PYTHON twice" in run.output


@pytest.mark.long
def test_a_row_for_every_case(golden_model, tmp_path):
    record = tmp_path / "record.json"
    names = [f"--python={name}={sys.executable}" for name in "ab"]
    options = ["--runs", "4", "--json", str(record)]
    run = CliRunner().invoke(main, [str(golden_model), *names, *options])
    assert run.exit_code == 0, run.output
    rows = json.loads(record.read_text())["runs"]
    assert [row["case"] for row in rows] == list(CASES)
    for row in rows:
        assert set(row["time"]["median_ms"]) == {"a", "b"}
        assert min(map(min, row["cpu"]["laps_ms"].values())) > 0
