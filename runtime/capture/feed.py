"""A thread that keeps a camera or stream connected, and the contract of a connection.

It holds the newest frame; those that nobody took in time are counted.
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import (
    EdgesegError,
    InputError,
    MissingDriverError,
    RejectedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array, Json


_LOG = logging.getLogger(__name__)
_SAID = 5  # reasons to wait that are told; those after them are in the state alone


@dataclass(frozen=True)
class Patience:
    """How long a live source waits for what, in seconds.

    Parameters
    ----------
    start_s, stall_s : float
        For the first frame of a connection, and between frames; then the connection
        is given up.
    first_s, longest_s : float
        Before the first try to connect again; doubled with each, up to the longest.
    well_s : float
        A connection that held this long makes the next wait the first again.
    """

    start_s: float = 25.0
    stall_s: float = 10.0
    first_s: float = 0.5
    longest_s: float = 10.0
    well_s: float = 5.0


PATIENCE = Patience()


class FrameFeed:
    """Connects, reads, and connects again, in a thread of its own.

    Parameters
    ----------
    connect : callable
        Makes a `Connection`.
    what : str
        What messages call the source; holds no secrets.
    patience : Patience
        Time limits.
    wait : bool
        Keep trying where the very first connection fails, too, unless by what another
        try cannot mend: `MissingDriverError` and `RejectedError`.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        what: str,
        patience: Patience,
        wait: bool,
    ) -> None:
        self._connect, self._what, self._patience = connect, what, patience
        self._wait = wait
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._connection: Connection | None = None
        self._since = time.monotonic()  # of the frame or the try now waited for
        self._frame: tuple[NDArray[np.uint8], float, Array | None] | None = None
        self._is_taken_from = False
        self.dropped = 0  # frames replaced by newer ones, once anybody takes them
        self._details: Json = {}
        self._error: str | None = None  # the last, until it is connected again
        self._stalled: str | None = None  # why this side gave the connection up
        self._failure: BaseException | None = None
        self._connected, self._connections = False, 0
        self._tries = 0
        self._reasons: list[str] = []  # told while the first frame is waited for
        self._thread = threading.Thread(target=self._run, name=what, daemon=True)

    @property
    def state(self) -> Json:
        """Whether it is connected, how often it was again, the last error, tries."""
        connection = self._connection
        now = {} if connection is None else connection.details
        return {
            "connected": self._connected,
            "reconnects": max(0, self._connections - 1),
            "error": self._error,
            "tries": self._tries,
            **self._details,
            **now,
        }

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def wait_for_frame(self) -> None:
        """Wait until there is a frame, or the feed was stopped.

        Raises
        ------
        EdgesegError
            The first connection failed.
        """
        with self._changed:
            while self._frame is None and not self._stopping.is_set():
                if self._failure is not None:
                    raise self._failure
                self._changed.wait(0.2)
                self._give_up_a_stalled_connection()

    def take(self) -> tuple[NDArray[np.uint8], float, Array | None] | None:
        """Wait for a frame that was not taken yet.

        Returns
        -------
        (ndarray, float, ndarray or None) or None
            ``(H, W, 3)`` uint8 RGB, the `time.monotonic` of its arrival, and
            `Connection.output`; None after `stop`.
        """
        self.wait_for_frame()
        with self._changed:
            taken, self._frame = self._frame, None
            self._is_taken_from = True
            return None if self._stopping.is_set() else taken

    def stop(self) -> None:
        """End, from any thread; `take` returns at once."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        connection = self._connection
        if connection is not None:
            connection.interrupt()

    def join(self, seconds: float) -> None:
        """Wait for the thread after `stop`; a driver that hangs keeps it."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _give_up_a_stalled_connection(self) -> None:
        connection = self._connection
        limit = self._patience.stall_s if self._connected else self._patience.start_s
        if connection is not None and time.monotonic() - self._since > limit:
            self._since = time.monotonic()
            self._stalled = f"{self._what}: no frame within {limit:g} s"
            connection.interrupt()

    def _run(self) -> None:
        try:
            self._keep_connected()
        except BaseException as error:  # raised where frames are taken
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _keep_connected(self) -> None:
        wait_s = self._patience.first_s
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._read_until_lost()
            except EdgesegError as error:
                self._lose(error)
            if time.monotonic() - began > self._patience.well_s:
                wait_s = self._patience.first_s
            self._stopping.wait(wait_s)
            wait_s = min(2 * wait_s, self._patience.longest_s)

    def _read_until_lost(self) -> None:
        self._tries += 1
        self._stalled, self._since = None, time.monotonic()
        connection = self._connection = self._connect()
        try:
            if not self._stopping.is_set():  # `stop` may not have seen the connection
                connection.open()
            while not self._stopping.is_set():
                self._hold(connection.read(), connection.output)
        finally:
            self._details = {**self._details, **connection.details}
            self._connection = None
            connection.close()

    def _hold(self, frame: NDArray[np.uint8], output: Array | None) -> None:
        now = time.monotonic()
        if not self._connected:
            self._connected, self._error = True, None
            self._connections += 1
            if self._connections > 1 or self._reasons:
                again = " again" if self._connections > 1 else ""
                _LOG.warning("%s: connected%s", self._what, again)
        with self._changed:
            self.dropped += self._is_taken_from and self._frame is not None
            self._frame, self._since = (frame, now, output), now
            self._changed.notify_all()

    def _lose(self, error: EdgesegError) -> None:
        if self._stopping.is_set():
            return
        was_connected, self._connected = self._connected, False
        self._error = self._stalled or str(error)
        if self._connections == 0:
            self._wait_or_raise(error)
        log = _LOG.warning if was_connected else _LOG.debug
        log("%s; connecting again", self._error)

    def _wait_or_raise(self, error: EdgesegError) -> None:
        if self._stalled is not None:
            error = InputError(self._stalled)
        if not self._wait or isinstance(error, MissingDriverError | RejectedError):
            raise error
        reason = str(error)
        if reason not in self._reasons and len(self._reasons) < _SAID:
            self._reasons.append(reason)
            words = reason.removeprefix(f"{self._what}: ")
            _LOG.warning("waiting for %s: %s", self._what, words)


class Connection(ABC):
    """One try at a camera or stream; after a failure a new one is made.

    Making one opens nothing. `open`, `read` and `close` are called from one thread,
    `close` always, at the end; `interrupt` from any other.
    """

    @abstractmethod
    def open(self) -> None:
        """Connect.

        Raises
        ------
        InputError
            There is no such camera or stream, or it refuses; the message says why.
        MissingDriverError
            A package or program is not installed.
        """

    @abstractmethod
    def read(self) -> NDArray[np.uint8]:
        """Wait for the next frame: ``(H, W, 3)`` uint8 RGB.

        Raises
        ------
        InputError
            The stream has ended, failed, or gives no pictures.
        """

    @property
    def output(self) -> Array | None:
        """What a network in the camera answered to the frame read last; or None."""
        return None

    def interrupt(self) -> None:  # noqa: B027 (a driver may have no way to do it)
        """Make `open` or `read` end soon, by raising, where there is a way."""

    @abstractmethod
    def close(self) -> None:
        """Release what was opened, if anything."""

    @property
    def details(self) -> Json:
        """Details of the stream, as JSON values: ``through``, ``fps`` ..."""
        return {}
