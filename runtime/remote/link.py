"""One connection: an ``ssh`` process with the board's program at its other end."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from edgeseg.devices import MissingDriverError
from edgeseg.runtime.remote.board import messages
from edgeseg.runtime.remote.errors import RemoteError
from edgeseg.runtime.remote.program import command, program
from edgeseg.runtime.remote.trouble import trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.runtime.remote.address import Address

_NOISE = 1 << 16  # of a login script, before the board's first message
_PATIENCE_S = 10.0  # for ssh to end once its input is closed


class Link:
    """Sends requests and receives answers.

    Parameters
    ----------
    address : Address
        Where to.
    python : str or None
        The Python that runs the board's program.
    tell : callable
        Takes a line of progress.

    Raises
    ------
    MissingDriverError
        There is no ``ssh`` here.
    RemoteError
        The board cannot be reached.
    """

    def __init__(
        self, address: Address, python: str | None, tell: Callable[[str], None]
    ) -> None:
        self._address = address
        self._tell = tell
        self._was_there = False
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
        try:
            self._process = _spawn([*address.ssh(), command(python)], self._said)
        except MissingDriverError:
            self._said.close()
            raise
        self._to = cast("BinaryIO", self._process.stdin)
        self._from = cast("BinaryIO", self._process.stdout)
        try:
            self._write(program())
            self._meet()
        except BaseException:
            self.close()
            raise

    def ask(self, op: str, **values: Any) -> dict[str, Any]:
        """Send a request and return its answer."""
        self.send(op, **values)
        return self.receive()

    def send(self, op: str, **values: Any) -> None:
        """Send a request; ``payload`` in it announces so many bytes."""
        self._write(messages.packed({"op": op, **values}))

    def send_bytes(self, data: bytes) -> None:
        """Send bytes that a request has announced."""
        self._write(data)

    def receive(self) -> dict[str, Any]:
        """Return the next answer; progress is told on the way.

        Raises
        ------
        RemoteError
            The board says what went wrong, or the connection has ended.
        """
        while True:
            message = messages.receive(self._from)
            if message is None:
                raise self._ended()
            if "error" in message:
                raise RemoteError(f"{self._address.host}: {message['error']}")
            if "note" not in message:
                return message
            self._tell(str(message["note"]))

    def read(self, count: int) -> bytes:
        """Return so many bytes that an answer has announced."""
        data = self._from.read(count)
        if len(data) < count:
            raise self._ended()
        return data

    def close(self) -> None:
        """Hang up: the board's program ends with its input."""
        for stream in (self._to, self._from):
            with contextlib.suppress(OSError):  # what was not sent is not wanted now
                stream.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    def _write(self, data: bytes) -> None:
        try:
            self._to.write(data)
            self._to.flush()
        except BrokenPipeError:
            # the board may have said why before it ended
            raise self._reason() from None

    def _reason(self) -> RemoteError:
        if not self._was_there:
            return self._ended()
        try:
            while True:
                self.receive()
        except RemoteError as error:
            return error

    def _meet(self) -> None:
        """Wait for the board's program, past what a login script printed."""
        seen = b""
        while not seen.endswith(messages.GREETING):
            line = self._from.readline(_NOISE)
            seen = (seen + line)[-_NOISE:]
            if not line:
                raise self._ended()
        self._was_there = True

    def _ended(self) -> RemoteError:
        """Return the error of a connection that has ended."""
        if self._is_stuck():
            self._process.kill()
        status = self._process.wait()
        self._said.seek(0)
        said = self._said.read().decode("utf-8", "replace")
        return trouble(self._address, said, status)

    def _is_stuck(self) -> bool:
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            return True
        return False


def _spawn(call: list[str], said: Any) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            call,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            # its messages are read here; and Ctrl-C is for this process alone, which
            # tells the board
            env={**os.environ, "LC_ALL": "C"},
            start_new_session=True,
        )
    except FileNotFoundError:
        raise MissingDriverError(
            "there is no ssh here: sudo apt install openssh-client"
        ) from None
