"""Environments without making any: names, and what goes wrong."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from edgeseg.benchmarks.studies.peers.environments import (
    interpreter_of,
    is_ready,
    make_environment,
    run_step,
)
from edgeseg.benchmarks.studies.peers.models import make_model
from edgeseg.benchmarks.studies.peers.peers import Step
from edgeseg.benchmarks.studies.peers.worker import content_hash
from edgeseg.devices import ConversionError, InputError, MissingDriverError

PYTHON = "python3.11"


def test_equal_requirements_share_an_environment(tmp_path):
    first = interpreter_of(tmp_path, ("a==1", "b==2"), PYTHON)
    assert interpreter_of(tmp_path, ("b==2", "a==1"), PYTHON) == first
    assert interpreter_of(tmp_path, ("a==1", "b==3"), PYTHON) != first
    assert interpreter_of(tmp_path, ("a==1", "b==2"), "python3.12") != first
    assert not is_ready(first)


def test_a_missing_interpreter_is_told(tmp_path):
    with pytest.raises(MissingDriverError, match=r"python2\.99 is not installed"):
        make_environment(tmp_path, ("numpy==2.2.6",), "python2.99")
    assert not (tmp_path / "environments").exists()


def test_an_unknown_network_is_told(tmp_path):
    with pytest.raises(InputError, match="unknown network 'int4'; known: int8-513"):
        make_model("int4", tmp_path, tmp_path)


@pytest.fixture
def bare(tmp_path):
    """A cache with an environment that has nothing installed."""
    step = Step("onnx_export", "model.onnx", ("nothing==1",))
    python = interpreter_of(tmp_path, step.requirements, step.python)
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (python.parent.parent / "pyvenv.cfg").write_text(f"home = {sys.base_prefix}/bin\n")
    (python.parent.parent / "ready.txt").touch()
    return step


def test_a_step_that_fails_ends_in_its_last_line_and_leaves_nothing(bare, tmp_path):
    source = tmp_path / "model.tflite"
    source.write_bytes(b"no model")
    with pytest.raises(ConversionError, match="No module named 'tf2onnx'"):
        run_step(bare, source, tmp_path / "calibration.npy", tmp_path)
    assert list((tmp_path / "steps").iterdir()) == []


def test_the_hash_of_an_xml_covers_the_weights_beside_it(tmp_path):
    model, weights = tmp_path / "model.xml", tmp_path / "model.bin"
    model.write_text("<net/>")
    hashes = set()
    for value in (1, 2):
        np.uint8([value]).tofile(weights)
        hashes.add(content_hash(model))
    assert len(hashes) == 2
    assert content_hash(tmp_path) in hashes
