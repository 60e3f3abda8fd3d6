"""What kills an interpreter kills a child, and is one line."""

from __future__ import annotations

import os
import signal
import time

import pytest

from edgeseg.devices import ModelError
from edgeseg.devices import first_inference as module
from edgeseg.devices.first_inference import trust, try_first_inference


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CACHE_DIRECTORY", raising=False)
    path = tmp_path / "model.tflite"
    path.write_bytes(b"model")
    return path


def counted(path):
    """Return an inference that leaves a byte for each time that it ran."""

    def infer():
        with path.open("ab") as file:
            file.write(b".")

    return infer


def times(path):
    return len(path.read_bytes()) if path.exists() else 0


def test_a_model_is_tried_once_for_each_runtime(model, tmp_path):
    log = tmp_path / "log"
    for runtime in ("one 1.0", "one 1.0", "one 1.1"):
        try_first_inference(model, runtime, counted(log))
    assert times(log) == 2


def test_a_changed_file_is_tried_again(model, tmp_path):
    log = tmp_path / "log"
    for content in (b"model", b"other"):
        model.write_bytes(content)
        try_first_inference(model, "one", counted(log))
    assert times(log) == 2


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE])
def test_a_signal_is_one_line(model, number):
    with pytest.raises(ModelError, match=f"killed by {number.name}") as caught:
        try_first_inference(model, "one", lambda: os.kill(os.getpid(), number))
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelError):  # not remembered as good
        try_first_inference(model, "one", lambda: os.kill(os.getpid(), number))


def test_what_does_not_end_is_ended(model, monkeypatch):
    monkeypatch.setattr(module, "LIMIT_S", 1)
    with pytest.raises(ModelError, match="did not end within 1 s"):
        try_first_inference(model, "one", lambda: time.sleep(60))


def test_more_memory_than_there_is_is_one_line(model):
    with pytest.raises(ModelError, match="memory"):
        try_first_inference(model, "one", lambda: bytearray(1 << 46))


def test_an_exception_is_left_to_the_caller(model):
    def fail():
        raise ValueError("said again by who opens the model in earnest")

    try_first_inference(model, "one", fail)


def test_a_cache_that_cannot_be_written_is_no_fuss(model, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    log = tmp_path / "log"
    for _ in range(2):
        try_first_inference(model, "one", counted(log))
    assert times(log) == 2


def test_a_model_of_the_installation_is_not_tried(model, tmp_path):
    trust(model)
    try_first_inference(model, "one", counted(tmp_path / "log"))
    assert times(tmp_path / "log") == 0
