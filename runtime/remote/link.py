"""One connection: an ``ssh`` process with the board's program at its other end.

The board's program as one piece of Python, sent ahead of the first request.
"""

from __future__ import annotations

import shlex
from importlib import resources
from typing import TYPE_CHECKING, Any

from edgeseg.devices.plain_text import printable
from edgeseg.runtime.remote.address import RemoteError
from edgeseg.runtime.remote.answers import checked, parsed
from edgeseg.runtime.remote.board import messages
from edgeseg.runtime.remote.channel import Channel
from edgeseg.runtime.remote.trouble import trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.types import Json
    from edgeseg.runtime.remote.address import BoardAddress


CHATTER = 1 << 16  # bytes that login scripts may print before the board's program runs
GREETING_S = 60.0  # to connect, log in and start Python on a slow, busy board
ANSWER_S = 600.0  # the longest work without a word: checking gigabytes on an SD card
MAKING_S = 3600.0  # pip is silent while it downloads a large wheel
_NOTES = 1 << 20  # bytes of progress before an answer; pip has a line for each package
_NOTE = 100  # that a shorter line counts as
_LAST_WORDS = 100  # messages that are read for the reason why a board hung up


class Link:
    """Sends requests and receives answers.

    Parameters
    ----------
    address : BoardAddress
        Where to.
    python : str or None
        The Python that runs the board's program.
    report : callable
        Takes a line of progress.

    Raises
    ------
    MissingDriverError
        There is no ``ssh`` here.
    RemoteError
        The board cannot be reached, or what answers is not edgeseg's program.
    """

    def __init__(
        self, address: BoardAddress, python: str | None, report: Callable[[str], None]
    ) -> None:
        self._address = address
        self._report = report
        self._was_there = False
        self._channel = Channel([*address.ssh(), command(python)], address.host)
        try:
            self._write(program())
            self._meet()
        except BaseException:
            self.close()
            raise

    def ask(self, op: str, **values: Any) -> Json:
        """Send a request and return its answer, which is what `checked` lets pass."""
        self.send(op, **values)
        return self.receive(op, request=values)

    def send(self, op: str, **values: Any) -> None:
        """Send a request; ``payload`` in it announces so many bytes."""
        self._write(messages.packed({"op": op, **values}))

    def send_bytes(self, data: bytes) -> None:
        """Send bytes that a request has announced."""
        self._write(data)

    def receive(self, *kinds: str, request: Json) -> Json:
        """Return the next answer; progress is shown on the way.

        Parameters
        ----------
        kinds : str
            What may come, see `checked`.
        request : dict
            What the answer belongs to.

        Raises
        ------
        RemoteError
            The board says what went wrong, answers nonsense, or the connection has
            ended.
        """
        left = _NOTES
        while left > 0:
            message = self._next(kinds)
            if "note" not in message:
                return checked(self._address.host, kinds, request, message)
            self._report(printable(message["note"]))
            left -= max(_NOTE, len(message["note"]))
        raise RemoteError(
            f"{self._address.host} sends line after line of progress and no answer"
        )

    def read(self, count: int) -> bytes:
        """Return so many bytes that an answer has announced."""
        data = self._channel.read(count, ANSWER_S)
        if len(data) < count:
            raise self._ended()
        return data

    def close(self) -> None:
        """Hang up: the board's program ends with its input."""
        self._channel.close()

    def _next(self, kinds: tuple[str, ...]) -> Json:
        """Return the next message, unless it says what went wrong."""
        line = self._channel.line(messages.LONGEST, _patience_s(kinds))
        if line is None:
            raise self._ended()
        message = parsed(self._address.host, line)
        if "error" in message:
            raise RemoteError(f"{self._address.host}: {printable(message['error'])}")
        return message

    def _write(self, data: bytes) -> None:
        try:
            self._channel.write(data, ANSWER_S)
        except BrokenPipeError:
            # the board may have said why before it ended
            raise self._reason() from None

    def _reason(self) -> RemoteError:
        try:
            for _ in range(_LAST_WORDS if self._was_there else 0):
                self._next(())
        except RemoteError as error:
            return error
        return self._ended()

    def _meet(self) -> None:
        """Wait for the board's program, past what login scripts print."""
        try:
            before = self._channel.skip(messages.GREETING, CHATTER, GREETING_S)
        except RemoteError as error:
            raise RemoteError(
                f"{error}; do login scripts there (~/.profile, ~/.bashrc) end, and "
                "print little where there is no terminal?"
            ) from None
        if before is None:
            raise self._ended()
        self._was_there = True

    def _ended(self) -> RemoteError:
        """Return the error of a connection that has ended."""
        status, said = self._channel.end()
        return trouble(self._address, said, status)


def _patience_s(kinds: tuple[str, ...]) -> float | None:
    """Return how long a message may take: a run that prints nothing takes any time."""
    if "piece" in kinds:
        return None
    return MAKING_S if "make" in kinds else ANSWER_S


_PACKAGE = "edgeseg.runtime.remote.board"
# each imports only those before it
_MODULES = (
    "messages",
    "store",
    "processes",
    "facts",
    "environment",
    "following",
    "serving",
)
# reads as many bytes as the first line says, and runs them; no character of it means
# anything to a shell inside quotes
_STARTER = "import sys;i=sys.stdin.buffer;exec(i.read(int(i.readline())))"
_LOADER = """
import sys, types
package = types.ModuleType({package!r})
package.__path__ = []
sys.modules[package.__name__] = package
for name, source in {sources!r}:
    module = types.ModuleType(package.__name__ + "." + name)
    sys.modules[module.__name__] = module
    setattr(package, name, module)
    exec(compile(source, "board/" + name + ".py", "exec"), module.__dict__)
package.serving.main()
"""


def command(python: str | None) -> str:
    """Return what the board's login shell is to run.

    Parameters
    ----------
    python : str or None
        A path or name; None: ``python3``.
    """
    script = f"exec {_quoted(python or 'python3')} -c {shlex.quote(_STARTER)}"
    return f"exec sh -c {shlex.quote(script)}"


def _quoted(python: str) -> str:
    """Quote a program's name, but leave a home folder to the shell."""
    if python.startswith("~/"):
        return f'"$HOME"/{shlex.quote(python[2:])}'
    return shlex.quote(python)


def program() -> bytes:
    """Return the line with the length, and the program."""
    folder = resources.files(_PACKAGE)
    sources = [(name, (folder / f"{name}.py").read_text("utf-8")) for name in _MODULES]
    code = _LOADER.format(package=_PACKAGE, sources=sources).encode()
    return b"%d\n%s" % (len(code), code)
