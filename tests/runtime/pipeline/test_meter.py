from __future__ import annotations

import json

import numpy as np
import pytest

from edgeseg.runtime import Capture, Meter, Segmentation
from edgeseg.runtime.sources.synthetic import SyntheticSource

FRAME = np.zeros((2, 4, 3), np.uint8)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def result(*, invoke_ms=10.0, class_id=0):
    ids = np.zeros((2, 4), np.uint8)
    ids[0, :2] = class_id
    return Segmentation(ids, (), {"preprocess": 1.0, "invoke": invoke_ms})


@pytest.fixture
def clock():
    return Clock()


def frames(meter, clock, count, every_s, age_s=0.05):
    for _ in range(count):
        clock.now += every_s
        meter.add(Capture(FRAME, "a", 0.0, clock.now - age_s), result(class_id=3))


def test_nothing_is_told_before_the_first_frame(clock):
    readings = Meter(clock).read()
    assert (readings.frames, readings.fps, readings.age_ms) == (0, None, None)
    assert (readings.last_frame_s, readings.shares) == (None, {})
    assert readings.connected


def test_rate_latency_age_and_shares_are_those_of_the_frames(clock):
    meter = Meter(clock)
    frames(meter, clock, 50, 0.04)
    meter.drop(3)
    clock.now += 0.01
    readings = meter.read()
    np.testing.assert_allclose(readings.fps, 25)
    np.testing.assert_allclose(readings.latency_ms.p50, 11)
    np.testing.assert_allclose(readings.age_ms.p90, 50)
    np.testing.assert_allclose(readings.uptime_s, 2.01)
    np.testing.assert_allclose(readings.last_frame_s, 0.01)
    assert (readings.frames, readings.dropped) == (50, 3)
    assert readings.shares == {0: 0.75, 3: 0.25}
    assert json.loads(json.dumps(readings.to_dict()))["shares"]["3"] == 0.25


def test_the_rate_is_that_of_the_last_seconds(clock):
    meter = Meter(clock)
    frames(meter, clock, 100, 0.1)
    frames(meter, clock, 100, 0.05)
    np.testing.assert_allclose(meter.read().fps, 20)


def test_frames_slower_than_the_window_have_a_rate_and_a_stall_has_none(clock):
    meter = Meter(clock)
    frames(meter, clock, 3, 4.0)
    np.testing.assert_allclose(meter.read().fps, 0.25)
    clock.now += 9
    assert meter.read().fps == 0


def test_ninety_in_a_hundred_are_at_most_p90(clock):
    meter = Meter(clock)
    for invoke_ms in range(100):
        clock.now += 0.01
        meter.add(Capture(FRAME, "a", 0.0, clock.now), result(invoke_ms=invoke_ms))
    latency = meter.read().latency_ms
    assert (latency.p50, latency.p90) == (50, 90)


def test_a_source_tells_its_state(clock):
    class Lost(SyntheticSource):
        @property
        def state(self):
            return {"connected": False, "reconnects": 4}

    meter = Meter(clock)
    meter.watch(Lost())
    assert (meter.read().connected, meter.read().reconnects) == (False, 4)
