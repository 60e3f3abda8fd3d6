from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.devices import InputError
from edgeseg.runtime import Capture, PipelineOptions
from edgeseg.runtime.pipeline.selection import Selection
from edgeseg.runtime.sources.synthetic import SyntheticSource

FRAME = np.zeros((2, 2, 3), np.uint8)


def chosen(options, fps, times, *, live=False):
    source = SyntheticSource(f"8x8,fps={fps}" + (",live" if live else ""))
    selection = Selection(options, source)
    return [time for time in times if selection.takes(Capture(FRAME, "a", time))]


def test_one_of_so_many_is_taken():
    times = [index / 25 for index in range(10)]
    assert chosen(PipelineOptions(every=4), 25, times) == [0, 0.16, 0.32]


@given(st.integers(1, 60), st.integers(1, 60))
def test_a_cap_keeps_the_times_of_a_video_at_that_rate(fps, cap):
    """The n-th frame kept is the one to be seen at n / cap: so speed stays true."""
    seconds = 4
    times = [index / fps for index in range(seconds * fps)]
    kept = chosen(PipelineOptions(fps=cap), fps, times)
    rate = min(cap, fps)
    assert abs(len(kept) - seconds * rate) <= 1
    due = np.arange(len(kept)) / rate
    if cap < fps:
        np.testing.assert_array_less(np.abs(np.array(kept) - due), 1 / fps + 1e-9)
    else:
        assert kept == times


@given(st.integers(0, 2**32 - 1), st.sampled_from([10, 15, 30]))
def test_a_camera_that_is_never_quite_on_time_is_not_halved(seed, cap):
    jitter = np.random.default_rng(seed).uniform(-0.2, 0.2, 300) / 30
    times = (np.arange(300) / 30 + jitter).clip(0).tolist()
    kept = chosen(PipelineOptions(fps=cap), 30, times, live=True)
    assert abs(len(kept) - 10 * cap) <= max(1, 0.03 * 10 * cap)


@pytest.mark.parametrize(
    "options",
    [
        {"every": 0},
        {"fps": 0},
        {"frames": 0},
        {"seconds": 0},
        {"seconds": float("nan")},
        {"smoothing": 1.0},
        {"smoothing": -0.1},
    ],
)
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(InputError, match="expected"):
        PipelineOptions(**options)
