"""Threads, pinned or not, of the devices that compute on the processor."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from edgeseg.devices import open_device
from edgeseg.devices.cores import big_cores, physical_cores, pinned

TASKS = Path("/proc/self/task")
needs_two = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="needs two processors"
)


def masks():
    return {int(t.name): os.sched_getaffinity(int(t.name)) for t in TASKS.iterdir()}


@needs_two
def test_pinning_is_of_one_thread_and_ends():
    before, one = os.sched_getaffinity(0), min(os.sched_getaffinity(0))
    other = {}
    go, done = threading.Event(), threading.Event()

    def look():
        go.wait(5)
        other["mask"] = os.sched_getaffinity(0)
        done.set()

    thread = threading.Thread(target=look)
    thread.start()
    with pinned(frozenset({one})):
        assert os.sched_getaffinity(0) == {one}
        go.set()
        done.wait(5)
    thread.join()
    assert other["mask"] == os.sched_getaffinity(0) == before


def test_processors_that_are_not_ours_change_nothing():
    before = os.sched_getaffinity(0)
    with pinned(frozenset({10_000})):
        assert os.sched_getaffinity(0) == before


@needs_two
def test_big_keeps_the_threads_of_the_inference_alone(golden_model, monkeypatch):
    one = frozenset({min(os.sched_getaffinity(0))})
    monkeypatch.setattr("edgeseg.devices.boards.generic.big_processors", lambda: one)
    before = masks()
    with open_device("generic:big", golden_model, threads=2) as device:
        assert device.describe()["processors"] == sorted(one)
        spec = device.inputs[0]
        device.infer(np.zeros(spec.shape, spec.dtype))  # some start their threads here
        started = {n: mask for n, mask in masks().items() if n not in before}
        assert started
        assert all(mask == one for mask in started.values())
        assert os.sched_getaffinity(0) == before[threading.get_native_id()]


@needs_two
def test_without_being_asked_nothing_is_pinned(golden_model):
    everything = os.sched_getaffinity(0)
    with open_device("generic", golden_model, threads=2) as device:
        assert "processors" not in device.describe()
        assert all(mask == everything for mask in masks().values())


def test_default_threads(golden_model):
    for text, count in (("generic", big_cores()), ("generic:all", physical_cores())):
        with open_device(text, golden_model) as device:
            assert device.describe()["threads"] == count


def test_a_pi_elsewhere_is_said_to_be_none(golden_model, caplog):
    with open_device("raspberry_pi", golden_model) as device:
        assert device.describe()["device"] == "raspberry_pi"
    assert ("this is no Raspberry Pi" in caplog.text) != _is_pi()


def _is_pi():
    model = Path("/proc/device-tree/model")
    return model.exists() and "Raspberry" in model.read_text()
