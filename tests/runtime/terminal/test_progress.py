from __future__ import annotations

import numpy as np
import pytest

from edgeseg.runtime import Capture, Meter, Tally, open_source
from edgeseg.runtime.terminal import progress as run_progress

CAPTURE = Capture(np.zeros((2, 2, 3), np.uint8), "a", 0.0)


@pytest.fixture
def meter():
    meter = Meter()
    meter.drop(4)
    return meter


def test_a_live_run_tells_rate_and_dropped_frames_now_and_then(
    meter, monkeypatch, capsys
):
    with open_source("synthetic:live") as source:
        with run_progress.RunProgress(source, meter) as progress:
            progress.show(Tally(done=7), CAPTURE)
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(run_progress, "_QUIET_S", 0.0)
        with run_progress.RunProgress(source, meter) as progress:
            progress.show(Tally(done=7), CAPTURE)
    assert capsys.readouterr().err == "7 frames, - a second, 4 dropped\n"


def test_other_runs_count_pictures(meter, capsys):
    with open_source("synthetic:frames=200") as source:
        progress = run_progress.RunProgress(source, meter)
        for done in range(1, 201):
            progress.show(Tally(done=done), CAPTURE)
    assert capsys.readouterr().err == "100/200 a\n200/200 a\n"


def test_a_unit_of_many_steps_is_shown_once(capsys):
    line = run_progress.ProgressLine(300_000, unit=1000)
    for done in (500, 100_000, 100_999, 200_500):
        line.show(done, "kB")
    assert capsys.readouterr().err == "100/300 kB\n200/300 kB\n"


def test_lines_have_the_time_since_the_start(monkeypatch, capsys):
    now = iter((10.0, 12.34, 20.0, 110.0))
    monkeypatch.setattr(run_progress.time, "monotonic", lambda: next(now))
    run_progress.TimedLines()("loading")
    run_progress.TimedLines(minutes=True)("epoch 1")
    assert capsys.readouterr().err == "[  2.3 s] loading\n[   1.5 min] epoch 1\n"
