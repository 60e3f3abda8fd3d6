"""Notifies systemd of a run: ready, alive, ending (sd_notify(3)).

While the source is waited for, the start may take longer than the unit says.
Alive means that frames were finished, or that a source that is away is tried again: a
run that hangs in a camera, a device or a sink stops saying so, and systemd starts it
anew.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.runtime.pipeline.meter import Meter, Readings
    from edgeseg.runtime.pipeline.meters import Meters

_log = logging.getLogger(__name__)
_FIRST_LOOK_S = 0.1  # how soon the first frame is noticed
_STATUS_S = 5.0  # between status lines where there is no watchdog
_TRY_S = 60.0  # that one try to connect and the wait before it may take
_LONGER_S = 60  # that the start may take more, said again every `_STATUS_S`


class Notifier:
    """Notifies the service manager of a run, in a thread of its own.

    Without ``NOTIFY_SOCKET`` in the environment nothing happens.

    Parameters
    ----------
    meter : Meter or Meters
        Counts the run's frames, or those of several cameras.
    environ : mapping of str to str or None
        Gives ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID``; None takes
        the process's.
    """

    def __init__(
        self, meter: Meter | Meters, environ: Mapping[str, str] | None = None
    ) -> None:
        values = os.environ if environ is None else environ
        self._meter = meter
        self._socket = values.get("NOTIFY_SOCKET", "")
        self._watchdog_s = _watchdog_s(values)
        self._tries: int | None = None
        self._tried_s = -math.inf
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to notify: ready with the first frame, alive with those after it."""
        if self._socket and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="edgeseg-notify")
            self._thread.daemon = True
            self._thread.start()

    def stop(self) -> None:
        """Notify that the run ends; may be called twice."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopped.set()
            thread.join()
            self._send("STOPPING=1\nSTATUS=stopping")

    def _run(self) -> None:
        seen, said, again_s = 0, [""], 0.0
        interval_s = self._watchdog_s / 2 if self._watchdog_s else _STATUS_S
        while not self._stopped.wait(_FIRST_LOOK_S if not seen else interval_s):
            readings = self._meter.read()
            words = [f"STATUS={_status(readings)}"]
            is_tried = self._is_tried(readings.tries)
            if not seen and readings.tries is not None:
                words.append(f"EXTEND_TIMEOUT_USEC={_LONGER_S * 1_000_000}")
            if readings.frames > seen and not seen:
                words.append("READY=1")
            # neither a camera that is away and tried again nor a pause is a hang
            excused = seen and (is_tried or readings.paused)
            if self._watchdog_s and (readings.frames > seen or excused):
                words.append("WATCHDOG=1")
            if not seen and words == said and time.monotonic() < again_s:
                continue  # nothing new to say while the first frame is waited for
            seen = readings.frames
            said, again_s = words, time.monotonic() + _STATUS_S
            self._send("\n".join(words))

    def _is_tried(self, tries: int | None) -> bool:
        """Return whether a source that is away was tried again not long ago."""
        now = time.monotonic()
        if tries != self._tries:
            self._tries = tries
            self._tried_s = now if tries else -math.inf
        return now - self._tried_s < _TRY_S

    def _send(self, text: str) -> None:
        import socket

        # "@" stands for the zero byte of an abstract socket's name
        path = "\0" + self._socket[1:] if self._socket[0] == "@" else self._socket
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as telling:
                telling.settimeout(1.0)
                telling.connect(path)
                telling.sendall(text.encode())
        except OSError as error:
            _log.warning("cannot tell the service manager: %s", error)


def _watchdog_s(environ: Mapping[str, str]) -> float:
    """Return the watchdog's limit in seconds, 0 where none is asked of this process."""
    text = environ.get("WATCHDOG_USEC", "")
    ours = environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
    return int(text) / 1e6 if ours and text.isdecimal() else 0.0


def _status(readings: Readings) -> str:
    waiting = [
        f"waiting for {name}: {state['error']}"
        for name, state in readings.outputs.items()
        if not state["connected"]
    ]
    if not readings.frames and readings.error is not None:
        waiting.insert(0, f"waiting for the source: {readings.error}")
    elif not readings.frames:
        waiting.insert(0, "waiting for the first frame")
    if not readings.frames:
        return "; ".join(waiting)
    rate = "" if readings.fps is None else f"{readings.fps:.1f} frames a second, "
    since = readings.last_frame_s or 0.0
    late = f", none for {since:.0f} s" if since > _STATUS_S else ""
    done = f"{readings.frames} frame{'' if readings.frames == 1 else 's'}"
    figures = f"{rate}{done}, {readings.dropped} dropped{late}"
    if not readings.connected:
        waiting.insert(
            0, f"source not connected: {readings.error or 'no reason given'}"
        )
    return "; ".join([figures, *waiting])
