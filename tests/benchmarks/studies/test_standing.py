"""Models beside each other: the first one's figures are 1 and 0 against itself."""

from __future__ import annotations

import json

import numpy as np
from click.testing import CliRunner
from scenes import draw_dataset

from edgeseg.benchmarks.studies.standing import main
from edgeseg.runtime.pictures.files import read_picture


def test_a_model_beside_itself(golden_model, tmp_path):
    data = draw_dataset(tmp_path / "data", 6)
    record, plot = tmp_path / "record.json", tmp_path / "plot.png"
    model = str(golden_model)
    short = ["--timed", "2", "--rounds", "1", "--limit", "4", "--plot", str(plot)]
    done = CliRunner().invoke(main, [str(data), str(record), model, model, *short])
    assert done.exit_code == 0, done.output
    told = json.loads(record.read_text())
    first, second = told["models"]
    assert told["images"] == 4
    assert first["times_first"] == {"invoke": 1.0, "picture": 1.0}
    np.testing.assert_equal(second["first_minus_this"]["difference"], 0.0)
    np.testing.assert_equal(first["miou"], second["miou"])
    assert first["miou"] > 0.5
    assert set(first["per_class_iou"]) >= {"background", "disc", "square", "triangle"}
    assert read_picture(plot).shape[1] > 300
