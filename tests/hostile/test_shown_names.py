"""Names from files never reach a terminal as what it would act on."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from click.testing import CliRunner
from hostile.good_files import LABELS, manifest, model_parts, put_dataset, put_picture

from edgeseg.devices.plain_text import is_printable
from edgeseg.runtime.cli import main

ACTS = "x\x1b[2J\x9b2J\x07y"
COMMANDS = (
    "info m.tflite",
    "run m.tflite photo.png",
    "check m.tflite --device coral",
    "compare m.tflite m.tflite photo.png",
    "eval m.tflite data --truth-labels names.txt",
    "parity m.tflite ref --truth-labels names.txt",
    "eval m.tflite data --truth-labels names.txt --against ref",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("names")
    put_dataset(root)
    put_picture(root)
    values = manifest()
    values["labels"] = [LABELS[0], ACTS, *LABELS[2:]]
    values["provenance"] = {ACTS: ACTS}
    content = io.BytesIO(model_parts()[0])
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("edgeseg.json", json.dumps(values))
    (root / "m.tflite").write_bytes(content.getvalue())
    (root / "names.txt").write_text("\n".join(values["labels"]) + "\n")
    return root


@pytest.fixture(scope="module")
def reference(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return invoke("reference m.tflite data --truth-labels names.txt -o ref")


def invoke(words):
    done = CliRunner().invoke(main, words.split(), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("words", COMMANDS)
def test_a_terminal_only_shows_names(words, folder, reference, monkeypatch):
    monkeypatch.chdir(folder)
    for output in (reference, invoke(words)):
        assert all(map(is_printable, output.split("\n"))), ascii(output)
