"""What all live sources do, shown with a camera made for it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import numpy as np
import pytest

from edgeseg.devices import InputError, MissingDriverError, RejectedError
from edgeseg.runtime.capture.feed import Connection, Patience
from edgeseg.runtime.capture.live import LiveSource
from edgeseg.runtime.capture.source import CaptureOptions
from edgeseg.runtime.capture.upright import fitted

QUICK = Patience(start_s=0.5, stall_s=0.3, first_s=0.02, longest_s=0.08, well_s=5)
FRAME = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)

pytestmark = pytest.mark.usefixtures("leaves_nothing")


class Scripted(Connection):
    """Gives what it is told: frames, errors, or ``"hang"`` until it is interrupted."""

    def __init__(self, *script):
        self._script = iter(script)
        self._interrupted = threading.Event()
        self.closed = 0

    def open(self):
        self._next("opens")

    def read(self):
        time.sleep(0.002)
        return self._next("reads")

    def _next(self, doing):
        item = next(self._script, "ends")
        if isinstance(item, Exception):
            raise item
        if isinstance(item, str):
            if item == "hang":
                self._interrupted.wait()
            raise InputError(f"it {item} when it {doing}")
        return item

    def interrupt(self):
        self._interrupted.set()

    def close(self):
        self.closed += 1


class Camera:
    """Connections, one after the other; each but the last ends after its script."""

    def __init__(self, *scripts):
        self.connections = [Scripted(*script) for script in scripts]
        self._left = iter(self.connections)
        self.tries = []

    def connect(self):
        self.tries.append(time.monotonic())
        return next(self._left, None) or Scripted("refuses")


@dataclass(frozen=True)
class Waiting(CaptureOptions):
    wait: bool = True


def opened(camera, options=CaptureOptions(), patience=QUICK):  # noqa: B008 (frozen)
    return LiveSource(
        camera.connect, prefix="cam", what="camera", options=options, patience=patience
    )


def steady(frame=FRAME):
    return [None, *[frame] * 2000]


def test_frames_are_named_timed_and_turned():
    with opened(Camera(steady()), CaptureOptions(rotate=90)) as source:
        frames = source.captures(skip=frozenset({"cam_000001"}))
        first, second = next(frames), next(frames)
    assert (first.name, second.name) == ("cam_000000", "cam_000002")
    assert first.time_s == 0 < second.time_s
    assert second.captured_s - first.captured_s == pytest.approx(second.time_s)
    np.testing.assert_array_equal(first.frame, np.rot90(FRAME, -1))
    assert source.live
    assert source.count is None
    assert source.state["size_wh"] == [4, 6]


def test_only_the_newest_frame_is_kept():
    numbered = [np.full((2, 2, 3), number, np.uint8) for number in range(200)]
    with opened(Camera([None, *numbered, "hang"])) as source:
        frames = source.captures()
        next(frames)
        time.sleep(0.05)
        assert next(frames).frame[0, 0, 0] > 5


def test_frames_that_nobody_takes_in_time_are_counted(wait_until):
    numbered = [np.full((2, 2, 3), number, np.uint8) for number in range(200)]
    with opened(Camera([None, *numbered, "hang"])) as source:
        assert source.dropped == 0  # before anybody takes frames none is missed
        frames = source.captures()
        first = int(next(frames).frame[0, 0, 0])
        wait_until(lambda: source.dropped == 198 - first)
        assert next(frames).frame[0, 0, 0] == 199
        assert source.dropped == 198 - first


def test_a_first_connection_that_fails_is_an_error_at_once():
    camera = Camera([InputError("no such camera")])
    with pytest.raises(InputError, match="no such camera"):
        opened(camera)
    assert len(camera.tries) == 1
    assert camera.connections[0].closed == 1


def test_a_first_frame_that_never_comes_is_an_error():
    with pytest.raises(InputError, match=r"camera: no frame within 0\.5 s"):
        opened(Camera([None, "hang"]))


def test_a_service_waits_for_its_camera():
    with opened(Camera(["refuses"], ["refuses"], steady()), Waiting()) as source:
        assert not source.state["connected"]
        assert next(source.captures()).name == "cam_000000"
        assert source.state["connected"]
        assert source.state["reconnects"] == 0


def test_what_is_waited_for_is_told_once_a_reason(caplog, wait_until):
    absent, locked = InputError("no such camera"), InputError("no permission")
    scripts = [[absent]] * 3 + [[locked]] * 2 + [[absent], steady()]
    with opened(Camera(*scripts), Waiting()) as source:
        wait_until(lambda: source.state["error"] == "no permission")
        assert source.state["connected"] is False
        next(source.captures())
        assert source.state["error"] is None
    assert [record.getMessage() for record in caplog.records] == [
        "waiting for camera: no such camera",
        "waiting for camera: no permission",
        "camera: connected",
    ]


@pytest.mark.parametrize("lasting", [MissingDriverError, RejectedError])
def test_what_another_try_cannot_mend_ends_the_waiting(caplog, lasting):
    camera = Camera([InputError("not yet")], [lasting("wrong")], steady())
    with opened(camera, Waiting()) as source:
        with pytest.raises(lasting, match="wrong"):
            next(source.captures())
        assert len(camera.tries) == 2


def test_a_camera_that_was_there_is_waited_for_whatever_it_says(wait_until):
    camera = Camera([None, FRAME], [RejectedError("booting")], steady())
    with opened(camera) as source:
        frames = source.captures()
        next(frames)
        next(frames)
        wait_until(lambda: source.state["reconnects"] == 1)


def test_it_connects_again_and_tells_once(caplog, wait_until):
    with opened(Camera([None, FRAME], ["refuses"], steady())) as source:
        frames = source.captures()
        names = [next(frames).name for _ in range(3)]
        wait_until(lambda: source.state["connected"])
        assert source.state["reconnects"] == 1
        assert source.state["error"] is None
    assert names == ["cam_000000", "cam_000001", "cam_000002"]
    assert [record.getMessage() for record in caplog.records] == [
        "it ends when it reads; connecting again",
        "camera: connected again",
    ]


def test_waiting_doubles_to_its_longest(wait_until):
    camera = Camera([None, FRAME])
    with opened(camera) as source:
        wait_until(lambda: len(camera.tries) == 6)
        assert "refuses" in source.state["error"]
        wait_until(lambda: source.state["tries"] >= 6)
    gaps = np.diff(camera.tries[1:])
    assert (gaps >= [0.04, 0.08, 0.08, 0.08]).all()


def test_a_stream_that_stalls_is_given_up():
    with opened(Camera([None, FRAME, "hang"], steady())) as source:
        frames = source.captures()
        assert next(frames).name == "cam_000000"
        assert next(frames).time_s > 0.3
        assert source.state["reconnects"] == 1


def test_another_size_is_brought_to_the_first(caplog):
    wide = np.full((4, 12, 3), 255, np.uint8)
    with opened(Camera([None, FRAME, "ends"], steady(wide))) as source:
        frames = source.captures()
        np.testing.assert_array_equal(next(frames).frame, FRAME)
        later = next(frames).frame
    assert later.shape == (4, 6, 3)
    assert later[0].max() == 0
    assert later[1:3].min() == 255
    assert "the picture is 12x4 now; it is scaled into 6x4" in caplog.text


def test_a_frame_that_is_too_high_gets_borders_beside():
    high = fitted(np.full((80, 20, 3), 9, np.uint8), (40, 40))
    np.testing.assert_array_equal(high[20, :, 0], [0] * 15 + [9] * 10 + [0] * 15)


def test_an_error_of_the_code_itself_is_not_tried_again():
    with pytest.raises(ZeroDivisionError):
        opened(Camera([ZeroDivisionError()]))


@pytest.mark.parametrize(
    "scripts",
    [
        pytest.param([["hang"]], id="connecting"),
        pytest.param([[None, "hang"]], id="reading"),
        pytest.param([["refuses"]], id="waiting"),
        pytest.param([steady()], id="running"),
    ],
)
def test_stop_ends_it_within_half_a_second_in_any_state(scripts):
    patience = Patience(first_s=30, longest_s=30)
    with opened(Camera(*scripts), Waiting(), patience) as source:
        stopped = []

        def stop():
            stopped.append(time.monotonic())
            source.stop()

        timer = threading.Timer(0.1, stop)
        timer.start()
        for _ in source.captures():
            pass
        assert time.monotonic() - stopped[0] < 0.5
        timer.join()
    assert list(source.captures()) == []
