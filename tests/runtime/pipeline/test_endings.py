"""Every way in which a run can end: in order, with everything closed once."""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import pytest

from edgeseg.devices import InputError, OutputError, TensorSpec
from edgeseg.devices.boards.fake import Fake
from edgeseg.runtime import (
    Capture,
    Manifest,
    Meter,
    PipelineOptions,
    Segmenter,
    Sink,
    Source,
    Stop,
    run_pipeline,
)

LIMIT_S = 30  # generous: a run that hangs is what is looked for, not a slow one
FRAME = np.zeros((24, 32, 3), np.uint8)
IMAGE = TensorSpec("image", (1, 16, 16, 3), "uint8", 1 / 128, 128)
IDS = TensorSpec("ids", (1, 16, 16), "int32")


class Closes:
    closed = 0

    def close(self):
        self.closed += 1


class Model(Closes, Segmenter):
    """A segmenter that counts how often it is closed, and may fail."""

    def __init__(self, fails_at=None):
        super().__init__(Fake((IMAGE,), (IDS,)), Manifest())
        self.fails_at, self.done = fails_at, 0

    def segment(self, frame, **kwargs):
        if self.done == self.fails_at:
            raise OutputError("the device is gone")
        self.done += 1
        return super().segment(frame, **kwargs)


class Camera(Closes, Source):
    """Frames as fast as they are taken, or a live source's, with one fault."""

    fps = 25.0

    def __init__(self, frames=None, *, live=False, fails_at=None, blocks_at=None):
        self.count = frames
        self.live = live
        self.fails_at, self.blocks_at = fails_at, blocks_at
        self.stopped = threading.Event()
        self.given = 0

    count = None
    live = False

    def captures(self, skip=frozenset()):
        while self.count is None or self.given < self.count:
            if self.given == self.fails_at:
                raise InputError("the camera is gone")
            if self.given == self.blocks_at:
                self.blocked()
            if self.stopped.is_set():
                return
            yield Capture(FRAME, f"f{self.given:04d}", self.given / 25)
            self.given += 1
            if self.live:
                time.sleep(0.001)

    def blocked(self):
        self.stopped.wait()

    def stop(self):
        self.stopped.set()


class Deaf(Camera):
    """A camera whose driver hangs and that ignores `stop`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.free = threading.Event()

    def blocked(self):
        self.free.wait()

    def stop(self):
        return None


class Taker(Closes, Sink):
    """Keeps names; may be slow, or fail in any of its methods."""

    def __init__(self, *, fails_at=None, seconds=0.0, check=None, closing=None):
        self.names, self.ages = [], []
        self.fails_at, self.seconds = fails_at, seconds
        self.check_error, self.close_error = check, closing

    def write(self, capture, segmentation):
        if len(self.names) == self.fails_at:
            raise OutputError("disk full")
        time.sleep(self.seconds)
        self.names.append(capture.name)

    def check(self):
        if self.check_error and self.names:
            raise self.check_error

    def close(self):
        super().close()
        if self.close_error:
            raise self.close_error


def within_limit(work):
    """Run in a thread that may hang without hanging the tests; return or raise."""
    outcome = []

    def attempt():
        try:
            outcome.append((work(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(LIMIT_S)
    assert not thread.is_alive(), "the run hangs"
    value, error = outcome[0]
    if error is not None:
        raise error
    return value


def run(source, *sinks, model=None, **kwargs):
    model = model or Model()
    try:
        return within_limit(lambda: run_pipeline(source, model, sinks, **kwargs))
    finally:
        assert [one.closed for one in (source, model, *sinks)] == [1] * (2 + len(sinks))


def test_a_file_keeps_every_frame_in_order():
    slow, quick = Taker(seconds=0.002), Taker()
    tally = run(Camera(60), slow, quick)
    assert slow.names == quick.names == [f"f{index:04d}" for index in range(60)]
    assert (tally.done, tally.dropped, tally.signal) == (60, 0, None)


def test_a_live_source_drops_what_is_not_the_newest_and_tells_how_many():
    meter, sink = Meter(), Taker(seconds=0.02)
    camera = Camera(live=True)
    tally = run(camera, sink, options=PipelineOptions(frames=12), meter=meter)
    assert (tally.done, len(sink.names)) == (12, 12)
    assert sink.names == sorted(sink.names)
    assert tally.dropped == meter.read().dropped > 0
    # dropped and done are all that was given, but for what waited at the end
    assert 0 <= camera.given - tally.dropped - tally.done <= 3


class Impatient(Camera):
    """Has replaced three frames before each that it gives."""

    @property
    def dropped(self):
        return 3 * self.given


def test_what_a_source_has_replaced_itself_is_counted_too():
    meter = Meter()
    tally = run(Impatient(20), Taker(), meter=meter)
    assert (tally.done, tally.dropped) == (20, 57)
    assert meter.read().dropped == 57


@pytest.mark.parametrize("live", [False, True])
def test_a_dying_source_ends_the_run(live):
    with pytest.raises(InputError, match="the camera is gone"):
        run(Camera(live=live, fails_at=5), Taker())


@pytest.mark.parametrize("live", [False, True])
def test_a_failing_device_ends_the_run(live):
    with pytest.raises(OutputError, match="the device is gone"):
        run(Camera(live=live), Taker(), model=Model(fails_at=3))


@pytest.mark.parametrize("live", [False, True])
def test_a_failing_sink_ends_the_run_and_the_others_are_closed(live):
    good = Taker()
    with pytest.raises(OutputError, match="disk full"):
        run(Camera(live=live), good, Taker(fails_at=3), Taker())
    assert len(good.names) == 4


def test_a_sink_s_worker_that_fails_ends_the_run_also_where_no_frame_comes():
    sink = Taker(check=OutputError("broker gone"))
    with pytest.raises(OutputError, match="broker gone"):
        run(Camera(live=True, blocks_at=2), sink)


def test_a_sink_that_fails_in_closing_is_told_and_the_others_are_closed():
    with pytest.raises(OutputError, match="no room for the index"):
        run(Camera(3), Taker(), Taker(closing=OutputError("no room for the index")))


def test_the_first_error_is_raised_and_the_others_are_told(caplog):
    broken = Taker(fails_at=0, closing=OutputError("and cannot be closed"))
    with pytest.raises(OutputError, match="disk full") as caught:
        run(Camera(3), broken)
    notes = getattr(caught.value, "__notes__", [caplog.text])
    assert "OutputError: and cannot be closed" in notes[0]
    assert (sys.version_info >= (3, 11)) == hasattr(caught.value, "__notes__")


def test_an_error_while_progress_is_told_ends_the_run():
    def fail(tally, capture):
        raise BrokenPipeError("nobody reads")

    with pytest.raises(BrokenPipeError, match="nobody reads"):
        run(Camera(live=True), progress=fail)


@pytest.mark.parametrize("live", [False, True])
def test_a_source_without_frames_is_an_error(live):
    with pytest.raises(InputError, match="gave no pictures"):
        run(Camera(0, live=live), Taker())


def test_frames_limit_a_run_and_what_is_segmented_is_written():
    sink = Taker(seconds=0.01)
    assert run(Camera(), sink, options=PipelineOptions(frames=7)).done == 7
    assert len(sink.names) == 7


def test_seconds_limit_a_recording_by_its_own_time():
    tally = run(Camera(), Taker(), options=PipelineOptions(seconds=2))
    assert tally.done == 50  # at 25 frames a second


def test_seconds_limit_a_live_run_also_where_no_frame_comes():
    options = PipelineOptions(seconds=1.5)
    tally = run(Camera(live=True, blocks_at=2), Taker(), options=options)
    assert tally.done + tally.dropped == 2


@pytest.mark.parametrize("blocks_at", [0, 3])
def test_a_run_is_stopped_from_another_thread_while_its_source_blocks(blocks_at):
    stop, camera = Stop(), Camera(live=True, blocks_at=blocks_at)
    threading.Timer(0.2, stop.ask).start()
    assert run(camera, Taker(), stop=stop).done <= blocks_at


def test_a_source_that_ignores_stop_is_left_and_closed_when_it_comes_back(caplog):
    stop, camera, model, sink = Stop(), Deaf(live=True, blocks_at=1), Model(), Taker()
    threading.Timer(0.2, stop.ask).start()
    within_limit(lambda: run_pipeline(camera, model, [sink], stop=stop))
    assert "the source does not stop" in caplog.text
    assert (camera.closed, model.closed, sink.closed) == (0, 1, 1)
    camera.free.set()
    ends = time.monotonic() + LIMIT_S
    while not camera.closed and time.monotonic() < ends:
        time.sleep(0.01)
    assert camera.closed == 1


def test_results_that_wait_are_dropped_by_a_stop_but_none_is_half_written():
    stop, last = Stop(), Taker()

    class Stops(Taker):
        def write(self, capture, segmentation):
            super().write(capture, segmentation)
            if len(self.names) == 3:
                stop.ask()

    assert run(Camera(), Stops(), last, stop=stop).done == 3
    assert last.names == ["f0000", "f0001", "f0002"]


def test_an_interrupt_of_the_caller_s_thread_closes_everything():
    class Interrupted(Model):
        def segment(self, frame, **kwargs):
            if self.done == 2:
                raise KeyboardInterrupt
            return super().segment(frame, **kwargs)

    with pytest.raises(KeyboardInterrupt):
        run(Camera(), Taker(), model=Interrupted())


@pytest.mark.parametrize("fault", ["source", "model", "sink"])
def test_a_single_picture_ends_as_every_run_does(fault):
    faults = {
        "source": (Camera(1, fails_at=0), Model(), Taker()),
        "model": (Camera(1), Model(fails_at=0), Taker()),
        "sink": (Camera(1), Model(), Taker(fails_at=0)),
    }
    source, model, sink = faults[fault]
    before = threading.active_count()
    with pytest.raises((InputError, OutputError), match=r"gone|disk full"):
        run(source, sink, model=model)
    assert run(Camera(1), Taker()).done == 1
    assert threading.active_count() == before


def test_no_thread_is_left():
    before = threading.active_count()
    for _ in range(5):
        run(Camera(3), Taker())
        run(Camera(live=True), Taker(), options=PipelineOptions(frames=3))
    assert threading.active_count() == before
