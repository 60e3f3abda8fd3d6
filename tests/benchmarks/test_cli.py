from __future__ import annotations

import json

from click.testing import CliRunner
from scenes import draw_dataset

from edgeseg.runtime.cli import main


def test_eval_writes_the_record(golden_model, tmp_path):
    drawn = draw_dataset(tmp_path)
    record = tmp_path / "record.json"
    arguments = ["eval", golden_model, drawn, "--json", record]
    done = CliRunner().invoke(main, [str(a) for a in arguments])
    assert done.exit_code == 0, done.output
    told = json.loads(record.read_text())
    expected = "miou per_class_iou pixel_accuracy mean_accuracy fw_iou images "
    expected += "model_sha256 dataset split classes versions"
    assert set(expected.split()) <= set(told)
    assert told["images"] == 12
    assert 0 < told["miou"] < 1
