"""The state of an output that connects when it can, and what the log says of it.

Whatever the output, a run is up as soon as its source is: what it writes to may come
later, go away and come back. The log says each of these once.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0  # before another try; doubled with each


class OutputConnection:
    """Notes what becomes of a connection; used by any number of threads.

    Parameters
    ----------
    what : str
        What is connected to, as in "waiting for the MQTT broker HOST"; without secrets.
    made : str
        What the log says, before `what`, where it was waited for and is there.
    logger : Logger
        Of the output.
    """

    def __init__(
        self, what: str, logger: logging.Logger, made: str = "connected to"
    ) -> None:
        self._what, self._logger, self._made_words = what, logger, made
        self._lock = threading.Lock()
        self._connected = self._said = False
        self._connections = 0
        self._error: str | None = None
        self._pause_s = FIRST_PAUSE_S

    @property
    def connected(self) -> bool:
        """Whether it is connected now."""
        return self._connected

    @property
    def was_made(self) -> bool:
        """Whether it has been connected before, or is."""
        return self._connections > 0

    @property
    def state(self) -> Json:
        """See `Sink.state`."""
        return {
            "connected": self._connected,
            "reconnects": max(0, self._connections - 1),
            "error": self._error,
        }

    def made(self) -> None:
        """Note that it is connected."""
        with self._lock:
            again = " again" if self._connections else ""
            if self._said:
                self._logger.warning("%s %s%s", self._made_words, self._what, again)
            self._connections += 1
            self._connected, self._said, self._error = True, False, None
            self._pause_s = FIRST_PAUSE_S

    def failed(self, reason: str) -> None:
        """Note that a try has failed, or that a connection is lost."""
        with self._lock:
            lost, self._connected, self._error = self._connected, False, reason
            if self._said:
                return
            self._said = True
            words = "waiting for %s: %s"
            if lost:
                words = "lost %s (%s): trying again"
            self._logger.warning(words, self._what, reason)

    def trouble(self, reason: str) -> None:
        """Note what goes wrong while it is connected; the log is the caller's."""
        self._error = reason

    def next_pause_s(self) -> float:
        """Return how long to wait before another try: twice as long each time."""
        with self._lock:
            pause_s = self._pause_s
            self._pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            return pause_s
