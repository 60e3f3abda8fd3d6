"""A process that is spoken with: whatever it says is bounded in bytes and in time."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import time
from typing import IO, cast

from edgeseg.devices import MissingDriverError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_text import printable
from edgeseg.runtime.remote.address import RemoteError

_PIECE = 1 << 16
_KEPT = 1 << 13  # bytes of standard error that are kept: the first, and the last
_PATIENCE_S = 10.0  # for the process to end once its input is closed


class Channel(Closing):
    """Writes to a process and reads what it answers.

    Parameters
    ----------
    call : list of str
        The program and its arguments; no shell sees them.
    host : str
        What messages call the other end.

    Raises
    ------
    MissingDriverError
        There is no such program.
    """

    def __init__(self, call: list[str], host: str) -> None:
        self._host = host
        self._process = _spawn(call)
        self._to = _number(self._process.stdin)
        self._from = _number(self._process.stdout)
        self._errors = _number(self._process.stderr)
        for number in (self._to, self._errors):
            os.set_blocking(number, False)
        self._come = bytearray()
        self._said = bytearray()
        self._said_last = b""
        self._silent = False  # no more comes from standard error

    def write(self, data: bytes, patience_s: float) -> None:
        """Write all of `data`.

        Raises
        ------
        BrokenPipeError
            The process reads no more.
        RemoteError
            It takes nothing for as long as `patience_s`.
        """
        left = memoryview(data)
        while left:
            if not self._wait(self._to, select.POLLOUT, _until(patience_s)):
                raise RemoteError(
                    f"{self._host} takes no more data: nothing for {patience_s:.0f} s; "
                    "is its disk full, or is it out of memory?"
                )
            with contextlib.suppress(BlockingIOError):
                left = left[os.write(self._to, left) :]

    def line(self, limit: int, patience_s: float | None) -> bytes | None:
        """Read a line; None where the process ends before it does.

        Parameters
        ----------
        limit : int
            The most bytes that it may have.
        patience_s : float or None
            How long to wait for all of it; None: as long as it takes.

        Raises
        ------
        RemoteError
            It is longer, or takes longer.
        """
        return self._through(b"\n", limit, patience_s)

    def read(self, count: int, patience_s: float) -> bytes:
        """Read so many bytes; fewer where the process ends before.

        Raises
        ------
        RemoteError
            They take longer than `patience_s`.
        """
        until = _until(patience_s)
        while len(self._come) < count and self._more(until):
            pass
        return self._take(min(count, len(self._come)))

    def skip(self, mark: bytes, limit: int, patience_s: float) -> bytes | None:
        """Read past a mark; return what stood before it, None where it never comes.

        Raises
        ------
        RemoteError
            It does not come within `limit` bytes or `patience_s` seconds.
        """
        found = self._through(mark, limit + len(mark), patience_s)
        return None if found is None else found[: -len(mark)]

    def end(self) -> tuple[int, str]:
        """Wait for the end; return the exit status and what was said at last.

        That is standard error, or what was not read of standard output.
        """
        until = _until(_PATIENCE_S)
        while not self._silent and self._wait(None, 0, until):
            pass
        try:
            status = self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        said = bytes(self._said) + self._said_last
        return status, (said or bytes(self._come)).decode("utf-8", "replace")

    def close(self) -> None:
        """Hang up, and end the process where it does not end by itself."""
        streams = (self._process.stdin, self._process.stdout, self._process.stderr)
        for stream in streams:
            if stream is not None:
                stream.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _through(
        self, mark: bytes, limit: int, patience_s: float | None
    ) -> bytes | None:
        until = None if patience_s is None else _until(patience_s)
        looked = 0
        while True:
            found = self._come.find(mark, looked, limit)
            if found >= 0:
                return self._take(found + len(mark))
            if len(self._come) >= limit:
                raise RemoteError(
                    f"{self._host} sends more than {limit} bytes where a message of "
                    f"edgeseg's should come{self._what_came()}"
                )
            looked = max(0, len(self._come) - len(mark) + 1)
            if not self._more(until):
                return None

    def _more(self, until: float | None) -> bool:
        """Read what has come, waiting for it; False at the end."""
        if not self._wait(self._from, select.POLLIN, until):
            raise RemoteError(
                f"{self._host} does not answer within the time that edgeseg waits"
                f"{self._what_came()}"
            )
        piece = os.read(self._from, _PIECE)
        self._come += piece
        return bool(piece)

    def _take(self, count: int) -> bytes:
        taken = bytes(self._come[:count])
        del self._come[:count]
        return taken

    def _what_came(self) -> str:
        come = bytes(self._come[:_KEPT]).decode("utf-8", "replace")
        return f"; it printed: {printable(come, 200)}" if come else ""

    def _wait(self, number: int | None, event: int, until: float | None) -> bool:
        """Wait for a pipe, or for standard error alone; False where time is up.

        Standard error is read meanwhile: nobody is to wait until it is.
        """
        poll = select.poll()
        if number is not None:
            poll.register(number, event)
        if not self._silent:
            poll.register(self._errors, select.POLLIN)
        while True:
            left_s = None if until is None else until - time.monotonic()
            if left_s is not None and left_s <= 0:
                return False
            ready = [n for n, _ in poll.poll(None if left_s is None else left_s * 1000)]
            if self._errors in ready:
                self._listen()
                if self._silent:
                    poll.unregister(self._errors)
            if number in ready or (number is None and ready):
                return True

    def _listen(self) -> None:
        """Keep the beginning and the end of what comes from standard error."""
        piece = os.read(self._errors, _PIECE)
        self._silent = not piece
        room = _KEPT - len(self._said)
        self._said += piece[:room]
        self._said_last = (self._said_last + piece[room:])[-_KEPT:]


def _until(patience_s: float) -> float:
    return time.monotonic() + patience_s


def _number(stream: IO[bytes] | None) -> int:
    return cast("IO[bytes]", stream).fileno()


def _spawn(call: list[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            call,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # its messages are read here; and Ctrl-C is for this process alone, which
            # tells the board
            env={**os.environ, "LC_ALL": "C"},
            start_new_session=True,
        )
    except FileNotFoundError:
        raise MissingDriverError(
            "there is no ssh here: sudo apt install openssh-client"
        ) from None
