"""What ``edgeseg run`` prints at the end."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from edgeseg.runtime.cli import main


@pytest.mark.parametrize(("frames", "words"), [(1, "1 picture;"), (2, "2 pictures;")])
def test_the_summary_counts_pictures(golden_model, frames, words):
    source = f"synthetic:64x48,frames={frames}"
    done = CliRunner().invoke(main, ["run", str(golden_model), source])
    assert done.exit_code == 0, done.output
    assert done.output.startswith(words)
    done = CliRunner().invoke(main, ["run", str(golden_model), source, "--json"])
    assert json.loads(done.output)["pictures"] == frames


@pytest.mark.parametrize("output", ["mask:ids", "masks:"])
def test_an_output_that_cannot_be_meant_leaves_nothing(
    golden_model, output, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    words = ["run", str(golden_model), "synthetic:64x48,frames=1", "-o", output]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1
    assert len(done.output.splitlines()) == 1
    assert not list(tmp_path.iterdir())
