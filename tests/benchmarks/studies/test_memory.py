"""The memory of a run: measured in a child, and below what a small board has."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from edgeseg.benchmarks.studies.memory import main, peak_of
from edgeseg.devices import ModelError
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.shipped import model_file, photo_folder

# KiB; a run takes 95 and 170 thousand of them, a copy of such a photo 36 thousand
_SMALL, _LARGE = 150_000, 220_000
_FEW_BYTES = "from edgeseg.runtime.cli import main; main()"
_MANY_BYTES = f"held = b'x' * 300_000_000; {_FEW_BYTES}"


def test_the_shipped_model_fits_a_small_board(tmp_path):
    record = tmp_path / "memory.json"
    done = CliRunner().invoke(main, ["animals", "--json", str(record), "--runs", "1"])
    assert done.exit_code == 0, done.output
    told = json.loads(record.read_text())
    small, large = told["runs"]
    assert 30_000 < small["peak_kib"] < _SMALL
    assert small["peak_kib"] < large["peak_kib"] < _LARGE
    assert told["photos"][large["photo"]]["size_wh"] in ([4000, 3000], [3000, 4000])
    assert told["models"]["animals.tflite"]["sha256"] == sha256(model_file())
    assert large["device"]["threads"] >= 1


def test_the_command_is_what_is_measured():
    photo = min(photo_folder().glob("*.jpg"))
    few, _ = peak_of(model_file(), photo, [sys.executable, "-c", _FEW_BYTES])
    many, _ = peak_of(model_file(), photo, [sys.executable, "-c", _MANY_BYTES])
    np.testing.assert_allclose(many - few, 300e6 / 1024, atol=15_000)


def test_a_large_parent_does_not_count():
    photo = min(photo_folder().glob("*.jpg"))
    held = np.ones(400_000_000, np.uint8)
    peak, _ = peak_of(model_file(), photo)
    assert peak < _SMALL < held.nbytes // 1024


def test_a_run_that_fails_is_told(tmp_path):
    with pytest.raises(ModelError, match="no pictures in"):
        peak_of(model_file(), tmp_path)


def test_photos_alone_are_refused():
    done = CliRunner().invoke(main, [str(min(photo_folder().glob("*.jpg")))])
    assert done.exit_code == 2
    assert "expected a model" in done.output
