from __future__ import annotations

import os
import sys

import pytest

from edgeseg.benchmarks.studies.live.bars import at_least, at_most, rate, steady_bars
from edgeseg.benchmarks.studies.live.children import Child, Sample, sample, wait_until
from edgeseg.benchmarks.studies.live.clients import Crowd, frames_of, state_of
from edgeseg.benchmarks.studies.live.outputs import Outputs, Visitor
from edgeseg.devices import InputError


def run_of(memory, threads=4, descriptors=9, count=50):
    """Samples of a run whose memory goes from 100 to `memory`."""
    return [
        Sample(
            float(i),
            int(100_000 + (memory - 100) * 1000 * i / (count - 1)),
            threads + (i == count // 2),  # one passing thread is no growth
            descriptors,
            30 * i,
        )
        for i in range(count)
    ]


@pytest.mark.parametrize(("memory", "passed"), [(100, True), (104, True), (110, False)])
def test_memory_that_grows_by_more_than_a_twentieth_is_found(memory, passed):
    assert [bar.passed for bar in steady_bars(run_of(memory))] == [passed, True, True]


def test_threads_and_descriptors_that_stay_are_found():
    samples = run_of(100)[:25] + run_of(100, threads=5, descriptors=10)[25:]
    assert [bar.passed for bar in steady_bars(samples)] == [True, False, False]


def test_a_figure_that_did_not_come_about_fails():
    assert not at_most("a", None, 1).passed
    assert not at_least("a", None, 1).passed
    assert at_least("a", 1, 1).passed
    assert at_most("a", 1, 1).passed


def test_the_rate_is_that_of_the_whole_phase():
    assert rate(run_of(100)) == pytest.approx(30)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs Linux's /proc")
def test_a_child_is_seen_and_killed_and_its_last_line_told(tmp_path):
    hangs = [sys.executable, "-c", "import time; time.sleep(60)"]
    with Child(hangs, tmp_path / "log") as child:
        seen = sample(child.pid, 3)
        assert (seen.threads, seen.frames) == (1, 3)
        assert seen.resident_bytes > 0
        child.check()
        child.kill()
    fails = [sys.executable, "-c", "print('one'); raise SystemExit('no camera')"]
    with Child(fails, tmp_path / "log") as child:

        def ended():
            try:
                child.check()
            except InputError as error:
                return "no camera" in str(error)
            return False

        assert wait_until(ended, 15) is not None


def test_a_crowd_is_answered_whole(tmp_path):
    pytest.importorskip("uvicorn", reason="needs the extra `web`")
    import numpy as np

    from edgeseg.runtime import Capture, Manifest, Segmentation, Style
    from edgeseg.runtime.output.open import open_sink

    frame, ids = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8)
    style = Style(Manifest(labels=("background",)))
    with open_sink("web:127.0.0.1:0?streams=5", style) as sink:
        port = int(sink.url.rstrip("/").rpartition(":")[2])
        sink.write(Capture(frame, "a", 0.0), Segmentation(ids, (), {}))
        with Crowd(port, 30) as crowd:
            assert crowd.statuses == {"200": 5, "503": 25}
            assert state_of(port)["streams"] == {"watching": 5, "limit": 5}
        assert frames_of(port) == 1
    assert frames_of(port) is None


def test_outputs_that_lack_frames_are_found(tmp_path):
    pytest.importorskip("paho.mqtt", reason="needs the extra `mqtt`")
    pytest.importorskip("uvicorn", reason="needs the extra `web`")
    from edgeseg.devices import MissingDriverError
    from edgeseg.runtime.cli import main

    try:
        outputs = Outputs(tmp_path)
    except MissingDriverError as error:
        pytest.skip(f"needs mosquitto: {error}")
    with outputs:
        words = ["run", "animals", "synthetic:64x48,frames=6", *outputs.words]
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0
        assert wait_until(lambda: outputs.messages > 0, 15) is not None
        assert [bar.passed for bar in outputs.bars(6)] == [True] * 4
        assert [bar.passed for bar in outputs.bars(9)] == [False, True, False, True]


def test_a_visitor_comes_again():
    with Visitor(1) as visitor:  # nobody listens there: it goes on all the same
        assert wait_until(lambda: visitor.visits > 0, 15) is not None
