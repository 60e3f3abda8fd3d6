"""The watchdog against a service manager's socket of our own, with a real run."""

from __future__ import annotations

import os
import socket
import threading
import time

import pytest

from edgeseg.runtime import Segmenter, Sink, Source
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.drawing.look import Look
from edgeseg.runtime.pipeline.meter import Meter
from edgeseg.runtime.pipeline.stopping import RunControls
from edgeseg.runtime.service.notify import Notifier

LIMIT_S = 0.4  # the watchdog's


class Manager:
    """Listens as systemd does."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + path[1:] if path[0] == "@" else path)
        self.environ = {
            "NOTIFY_SOCKET": path,
            "WATCHDOG_USEC": str(int(LIMIT_S * 1e6)),
            "WATCHDOG_PID": str(os.getpid()),
        }

    def told(self, seconds):
        """Return all that is told in some time, without waiting once it is quiet."""
        lines, end = [], time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                lines += self.socket.recv(4096).decode().splitlines()
            except TimeoutError:
                break
        return lines

    def wait_for(self, word):
        lines, self_end = [], time.monotonic() + 15
        while word not in lines:
            assert time.monotonic() < self_end, lines
            lines += self.told(0.1)
        return lines


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    path = str(tmp_path / "n") if request.param == "path" else f"@edgeseg-{os.getpid()}"
    manager = Manager(path)
    yield manager
    manager.socket.close()


@pytest.fixture
def run(golden_model):
    """A real run in a thread: `goes` cleared, it hangs as in a camera that hangs."""
    meter, goes = Meter(), threading.Event()
    source = open_source("synthetic:64x48,live,fps=30")

    def work():
        with Segmenter.open(golden_model, threads=1) as segmenter:
            for capture in source.captures():
                goes.wait()
                meter.add(capture, segmenter.segment(capture.frame))

    thread = threading.Thread(target=work)
    thread.start()
    yield meter, goes
    source.stop()
    goes.set()
    thread.join()
    source.close()


def test_ready_with_the_first_frame_alive_with_those_after_it(manager, run):
    meter, goes = run
    notifier = Notifier(meter, manager.environ)
    notifier.start()
    before = manager.told(3 * LIMIT_S)
    assert "STATUS=waiting for the first frame" in before
    assert not {"READY=1", "WATCHDOG=1"} & set(before)
    goes.set()
    assert "WATCHDOG=1" in manager.wait_for("READY=1")
    assert "READY=1" not in manager.wait_for("WATCHDOG=1")
    goes.clear()
    manager.told(LIMIT_S)  # what was finished before the stall is told
    stalled = manager.told(3 * LIMIT_S)
    assert "WATCHDOG=1" not in stalled
    assert any(line.startswith("STATUS=") for line in stalled)
    goes.set()
    manager.wait_for("WATCHDOG=1")
    notifier.stop()
    notifier.stop()
    assert manager.told(0.1).count("STOPPING=1") == 1


def test_a_pause_feeds_the_watchdog(manager, run):
    meter, goes = run
    controls = RunControls(Look())
    meter.watch(Late(), controls)
    notifier = Notifier(meter, manager.environ)
    goes.set()
    notifier.start()
    manager.wait_for("WATCHDOG=1")
    controls.paused = True
    goes.clear()
    manager.told(3 * LIMIT_S)
    frames = meter.read().frames
    manager.wait_for("WATCHDOG=1")
    assert meter.read().frames == frames
    controls.paused = False
    manager.told(2 * LIMIT_S)
    assert "WATCHDOG=1" not in manager.told(2 * LIMIT_S)
    goes.set()
    notifier.stop()


class Late(Source):
    """A camera that is waited for, and then is there."""

    count, fps = None, None
    reason = "no such camera: /dev/video0"
    tries = 0

    @property
    def state(self):
        return {
            "connected": self.reason is None,
            "reconnects": 0,
            "error": self.reason,
            "tries": self.tries,
        }

    def captures(self, skip=frozenset()):
        return iter(())


class Broker(Sink):
    reason = "Connection refused"

    def write(self, capture, segmentation):
        pass

    @property
    def state(self):
        return {"connected": self.reason is None, "reconnects": 0, "error": self.reason}


def test_a_source_that_is_waited_for_is_named_and_the_start_takes_longer(manager):
    meter, source = Meter(), Late()
    meter.watch(source)
    meter.watch_outputs({"mqtt://broker": Broker()})
    notifier = Notifier(meter, manager.environ)
    notifier.start()
    waiting = (
        "STATUS=waiting for the source: no such camera: /dev/video0; "
        "waiting for mqtt://broker: Connection refused"
    )
    first = manager.wait_for(waiting)
    assert "EXTEND_TIMEOUT_USEC=60000000" in first
    source.reason = "no permission for /dev/video0"
    again = manager.wait_for(waiting.replace(Late.reason, source.reason))
    assert "EXTEND_TIMEOUT_USEC=60000000" in again
    source.reason = None  # it is there, and a device that hangs gets no more time
    last = manager.wait_for(
        "STATUS=waiting for the first frame; "
        "waiting for mqtt://broker: Connection refused"
    )
    assert not any(line.startswith("EXTEND") for line in last[last.index(last[-1]) :])
    notifier.stop()


def test_a_camera_that_is_tried_again_is_alive_and_named(manager, run):
    meter, goes = run
    goes.set()
    notifier = Notifier(meter, manager.environ)
    notifier.start()
    manager.wait_for("READY=1")
    camera = Late()
    meter.watch(camera)
    goes.clear()
    manager.told(LIMIT_S)  # what was finished before the stall is told
    away = manager.told(2 * LIMIT_S)
    assert any(
        "; source not connected: no such camera: /dev/video0" in line for line in away
    )
    assert "WATCHDOG=1" not in away  # nobody says that it is tried again
    for tries in (1, 2):
        camera.tries = tries
        manager.wait_for("WATCHDOG=1")
    camera.reason = None  # it is there, but no frame is finished
    manager.told(LIMIT_S)
    assert "WATCHDOG=1" not in manager.told(2 * LIMIT_S)
    notifier.stop()


def test_tries_that_do_not_end_are_a_hung_run(manager, run, monkeypatch):
    monkeypatch.setattr("edgeseg.runtime.service.notify._TRY_S", LIMIT_S)
    meter, goes = run
    goes.set()
    notifier = Notifier(meter, manager.environ)
    notifier.start()
    manager.wait_for("READY=1")
    camera = Late()
    camera.tries = 1
    meter.watch(camera)
    goes.clear()
    manager.told(3 * LIMIT_S)
    assert "WATCHDOG=1" not in manager.told(3 * LIMIT_S)
    camera.tries = 2
    manager.wait_for("WATCHDOG=1")
    notifier.stop()


def test_another_process_s_watchdog_is_not_fed(manager, run):
    meter, goes = run
    goes.set()
    environ = {**manager.environ, "WATCHDOG_PID": "1"}
    notifier = Notifier(meter, environ)
    notifier.start()
    assert "WATCHDOG=1" not in manager.wait_for("READY=1")
    notifier.stop()


def test_without_a_service_manager_nothing_happens():
    before = threading.active_count()
    notifier = Notifier(Meter(), {})
    notifier.start()
    assert threading.active_count() == before
    notifier.stop()


def test_a_manager_that_is_gone_does_not_end_the_run(tmp_path, run, caplog):
    meter, goes = run
    goes.set()
    notifier = Notifier(meter, {"NOTIFY_SOCKET": str(tmp_path / "gone")})
    notifier.start()
    end = time.monotonic() + 15
    while "cannot tell the service manager" not in caplog.text:
        assert time.monotonic() < end
        time.sleep(0.02)
    notifier.stop()
