"""The command `models`: what it shows is so."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from edgeseg.runtime.commands.models import models
from edgeseg.runtime.model.inspection import model_info
from edgeseg.runtime.shipped import MODEL_NAMES, model_file
from edgeseg.runtime.shipped.catalogue import releases, shipped_models


def test_text_and_json_show_the_same_models():
    text = CliRunner().invoke(models, []).output
    told = json.loads(CliRunner().invoke(models, ["--json"]).output)
    assert [entry["name"] for entry in told["shipped"]] == list(MODEL_NAMES)
    assert [entry["name"] for entry in told["fetch"]] == list(releases())
    for entry in (*told["shipped"], *told["fetch"]):
        assert entry["name"] in text
        assert entry["licence"] in text
    for entry in told["shipped"]:
        assert entry["bytes"] == model_file(entry["name"]).stat().st_size
        assert f"mIoU {entry['miou']:.2f} %" in text


@pytest.mark.parametrize("model", shipped_models(), ids=lambda one: one.name)
def test_the_table_says_what_the_file_says(model):
    manifest = model_info(model.name)["manifest"]
    assert tuple(manifest["labels"]) == model.classes
    assert tuple(manifest["input_size"]) == model.size
