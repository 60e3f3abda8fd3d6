"""Events on their way to something slow: bounded, and never in the way of a run."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.base import Closing
from edgeseg.runtime.output.sink import Sink
from edgeseg.runtime.zones.events import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.types import Json
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.segmentation.segmenter import Segmentation
    from edgeseg.runtime.zones.events import Event

_log = logging.getLogger(__name__)
WAITING = 256  # events; of more the oldest are dropped
_END_S = 3.0  # how long the end of a run waits for what is on its way


class NotNowError(Exception):
    """An event was not taken, but may be later; the text says why."""


class EventQueue(Closing):
    """Hands events to a function, one after the other, in a thread of its own.

    Parameters
    ----------
    work : callable
        Delivers one event. `NotNowError` makes it try again, after pauses that grow;
        what it returns is why an event will never be taken, or empty.
    name : str
        Of the receiver, for messages; without secrets.
    pauses_s : (float, float)
        The first pause before another try, and the longest.
    """

    def __init__(
        self,
        work: Callable[[Event], str],
        name: str,
        *,
        pauses_s: tuple[float, float] = (1.0, 60.0),
    ) -> None:
        self._work, self._name, self._pauses_s = work, name, pauses_s
        self._changed = threading.Condition()
        self._waiting: deque[Event] = deque()
        self._closing = False
        self._ends_s = float("inf")
        self._error: str | None = None
        self._refused: str | None = None
        self._recovered = 0
        self.sent = self.dropped = 0
        self._thread = threading.Thread(
            target=self._run, name=f"edgeseg-{name}", daemon=True
        )
        self._thread.start()

    @property
    def state(self) -> Json:
        """As `Sink.state`, with how many events were ``sent`` and ``dropped``."""
        return {
            "connected": self._error is None,
            "reconnects": self._recovered,
            "error": self._error,
            "sent": self.sent,
            "dropped": self.dropped,
        }

    def put(self, event: Event) -> None:
        """Leave an event; never waits."""
        with self._changed:
            if len(self._waiting) >= WAITING:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(event)
            self._changed.notify_all()

    def close(self) -> None:
        """Let the thread deliver what waits, for three seconds at most."""
        with self._changed:
            if self._closing:
                return
            self._closing, self._ends_s = True, time.monotonic() + _END_S
            self._changed.notify_all()
        self._thread.join(_END_S + 0.5)
        with self._changed:
            left = len(self._waiting)
            self._waiting.clear()
            self.dropped += left
        if self.dropped:
            _log.warning("%s: %d events were not delivered", self._name, self.dropped)

    def _run(self) -> None:
        pause_s = self._pauses_s[0]
        while (event := self._first()) is not None:
            try:
                refused = self._work(event)
            except NotNowError as error:
                self._fail(str(error))
                self._rest(pause_s)
                pause_s = min(2 * pause_s, self._pauses_s[1])
            else:
                pause_s = self._pauses_s[0]
                self._done(event, refused)

    def _first(self) -> Event | None:
        """Return the event to try, which stays in the queue until it is delivered."""
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            if not self._waiting or time.monotonic() >= self._ends_s:
                return None
            return self._waiting[0]

    def _rest(self, seconds: float) -> None:
        """Wait until the next try; at the end of a run not at all."""
        ends_s = time.monotonic() + seconds
        with self._changed:
            while not self._closing and (left := ends_s - time.monotonic()) > 0:
                self._changed.wait(left)
            if self._closing:
                self._ends_s = min(self._ends_s, time.monotonic() + 0.2)

    def _fail(self, reason: str) -> None:
        if self._error is None:
            _log.warning("%s: %s: trying again", self._name, reason)
        self._error = reason

    def _done(self, event: Event, refused: str) -> None:
        with self._changed:
            # it may have been dropped meanwhile, for newer ones
            if self._waiting and self._waiting[0] is event:
                self._waiting.popleft()
            self.sent += not refused
            self.dropped += bool(refused)
        if refused and refused != self._refused:
            _log.warning("%s: %s", self._name, refused)
        self._refused = refused or self._refused
        if self._error is not None:
            self._error = None
            self._recovered += 1
            _log.warning("%s takes events again", self._name)


class QueuedEvents(Sink):
    """A sink that leaves the events of frames in a queue, and does nothing else.

    Parameters
    ----------
    work, name
        See `EventQueue`.
    kinds : tuple of str
        The events that count.
    """

    def __init__(
        self, work: Callable[[Event], str], name: str, kinds: tuple[str, ...] = KINDS
    ) -> None:
        self._queue, self._kinds = EventQueue(work, name), kinds

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Leave the frame's events for the thread that delivers them."""
        for event in segmentation.events:
            if event.kind in self._kinds:
                self._queue.put(event)

    @property
    def state(self) -> Json:
        """State of the deliveries; see `EventQueue.state`."""
        return self._queue.state

    def close(self) -> None:
        """Deliver what waits, if that is quick."""
        self._queue.close()


def check_watching(sink: str, style: Style) -> None:
    """Raise `InputError` where a run has no zones and lines, and so no events."""
    if not (style.zones or style.lines):
        raise InputError(
            f"{sink}: expected zones or lines, which events come from: --zone, --line, "
            "or [[zone]] and [[line]] in a file for --config"
        )


def kinds_of(sink: str, text: str) -> tuple[str, ...]:
    """Return the kinds of events in ``A,B``; all of them where it is empty.

    Raises
    ------
    InputError
        One is unknown.
    """
    kinds = tuple(filter(None, text.split(",")))
    for kind in kinds:
        if kind not in KINDS:
            raise InputError(
                f"{sink}: kinds: expected some of {','.join(KINDS)}, got {kind!r}"
            )
    return kinds or KINDS
