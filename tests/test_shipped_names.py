"""The name of the model that ships, wherever a model's path is taken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeseg.converter.shipped import find_keras, keras_file, labels_file
from edgeseg.devices import MissingDriverError, ModelError
from edgeseg.devices.placement import check_model
from edgeseg.runtime import Segmenter
from edgeseg.runtime.model.inspection import model_info
from edgeseg.runtime.shipped import MODEL_NAMES, find_model, is_shipped, model_file


@pytest.mark.parametrize("name", [*MODEL_NAMES, Path("animals")])
def test_the_name_stands_for_the_file(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_shipped(name)
    files = (model_file(str(name)), keras_file(str(name)))
    assert (find_model(name), find_keras(name)) == files
    assert all(file.is_file() for file in files)


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir])
def test_what_is_in_the_current_folder_comes_first(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(Path("animals"))
    assert (find_model("animals"), find_keras("animals")) == (Path("animals"),) * 2
    with pytest.raises(ModelError):
        Segmenter.open("animals")


@pytest.mark.parametrize("name", ["animal", "./animals", "animals.tflite", "x/animals"])
def test_other_words_are_paths(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_model(name) == Path(name)
    with pytest.raises(ModelError, match="No such file"):
        Segmenter.open(name)


def test_python_takes_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Segmenter.open("animals") as segmenter:
        assert "cat" in segmenter.manifest.labels
        assert segmenter.segment(np.zeros((9, 9, 3), np.uint8)).ids.shape == (9, 9)
    assert model_info("animals")["file"] == "animals.tflite"
    assert check_model(find_model("animals"), "coral").file == "animals.tflite"


def test_a_compilation_takes_it_and_writes_here(tmp_path, monkeypatch):
    """With a compiler that copies, as far as the shipped folder is concerned."""
    from edgeseg.converter.compilation.compile import compile_model

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    before = sorted(model_file().parent.iterdir())
    with pytest.raises(MissingDriverError, match="edgetpu_compiler"):
        compile_model("animals", "coral")
    assert sorted(model_file().parent.iterdir()) == before


def test_a_conversion_takes_it_with_its_labels(tmp_path, monkeypatch):
    pytest.importorskip("tensorflow", reason="needs the extra `convert`")
    from edgeseg.converter.conversion import conversion

    jobs = []

    def run_isolated(target, job, **more):
        jobs.append(job["request"])
        raise ModelError("stopped here")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(conversion, "run_isolated", run_isolated)
    for model in ("animals", keras_file(), "voc"):
        with pytest.raises(ModelError, match="stopped here"):
            conversion.convert(model, output=tmp_path / "x.tflite", recipe="float32")
    for request, name in zip(jobs, ("animals", "animals", "voc"), strict=True):
        assert request["model"] == str(keras_file(name))
        assert request["overrides"]["labels"] == str(labels_file(name))


def test_a_training_takes_it_as_start_and_as_teacher(tmp_path, monkeypatch):
    from edgeseg.converter.training.finetune import _named
    from edgeseg.converter.training.settings import Pictures, Settings, Teaching

    monkeypatch.chdir(tmp_path)
    settings = Settings("animals", Pictures(tmp_path), teaching=Teaching("animals"))
    named = _named(settings)
    assert named.start == str(keras_file())
    assert named.teaching.model == model_file()
    assert _named(Settings("none", Pictures(tmp_path))).start == "none"


@pytest.mark.parametrize("command", ["compile --device coral", "compare animals"])
def test_commands_take_it(command, tmp_path):
    name, *more = command.split()
    call = "from edgeseg.runtime.cli import main; main()"
    words = [name, *more, "animals"]
    if name == "compare":
        words += ["synthetic:64x48,frames=1"]
    done = subprocess.run(
        [sys.executable, "-c", call, *words],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
    )
    assert "No such file" not in done.stderr
    assert done.returncode == (0 if name == "compare" else 1), done.stderr
