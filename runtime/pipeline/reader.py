"""The thread that takes frames from a source."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from edgeseg.runtime.pipeline.failures import WorkerThread
from edgeseg.runtime.pipeline.handover import Handover

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.runtime.capture.source import Capture, Source
    from edgeseg.runtime.pipeline.failures import Failures
    from edgeseg.runtime.pipeline.selection import Selection
    from edgeseg.runtime.pipeline.stopping import Stop

_log = logging.getLogger(__name__)

# frames of a file that are read ahead
_AHEAD = 2
# A source ends within half a second of `stop`. One that does not is left alone.
_PATIENCE_S = 0.8


class FrameReader:
    """Reads ahead, or for a live source holds the newest frame ready.

    Parameters
    ----------
    source : Source
        Open; closed by `close`.
    selection : Selection
        Which frames are wanted.
    stop : Stop
        Ends the thread.
    failures : Failures
        Gets what the source raises.
    dropped : callable
        Called with a number of frames that newer ones have replaced: here, or inside
        the source.
    skip : frozenset of str
        Names that are left out.
    """

    def __init__(
        self,
        source: Source,
        selection: Selection,
        stop: Stop,
        failures: Failures,
        *,
        dropped: Callable[[int], None],
        skip: frozenset[str] = frozenset(),
    ) -> None:
        self._source = source
        self._selection = selection
        self._dropped = dropped
        self._skip = skip
        self._failures = failures
        size = 1 if source.live else _AHEAD
        self.frames: Handover[Capture] = Handover(size, stop, newest=source.live)
        self._lock = threading.Lock()
        self._has_ended = self._is_left = False
        self._is_wanted = True
        self._dropped_inside = 0  # of `Source.dropped`, those that are counted
        self._worker = WorkerThread("reader", self._work, failures)

    def _work(self) -> None:
        try:
            self._read()
        finally:
            self.frames.end()
            with self._lock:
                self._has_ended = True
            if self._is_left:  # nobody waits any more: closed here, if late
                self._source.close()

    def _read(self) -> None:
        for capture in self._source.captures(self._skip):
            if not self._is_wanted or self._selection.is_past(capture):
                return
            replaced = self._replaced_inside()
            if self._selection.takes(capture):
                replaced += self.frames.put(capture)
            if replaced:
                self._dropped(replaced)

    def _replaced_inside(self) -> int:
        before, self._dropped_inside = self._dropped_inside, self._source.dropped
        return self._dropped_inside - before

    def stop(self) -> None:
        """Ask the source to end; does not wait for it."""
        self._is_wanted = False
        self.frames.refuse()
        self._failures.attempt(self._source.stop)

    def close(self) -> None:
        """Wait for the thread's end, after `stop`, and close the source, once."""
        if not self._worker.join(_PATIENCE_S):
            with self._lock:
                self._is_left = not self._has_ended
            if self._is_left:
                _log.warning("the source does not stop: it is left to itself")
                return
        self._failures.attempt(self._source.close)
