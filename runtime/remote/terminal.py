"""What a run on the board prints, as it reaches this terminal."""

from __future__ import annotations

import codecs
import sys
from typing import TYPE_CHECKING, BinaryIO, Protocol

from edgeseg.devices.plain_text import printable_lines

if TYPE_CHECKING:
    from typing import TextIO


class ByteOutput(Protocol):
    """Takes bytes that a run printed."""

    def write(self, data: bytes, /) -> int:
        """Show or keep them."""

    def flush(self) -> None:
        """Let go of what is held back."""


class ShownOutput:
    r"""Shows bytes on a terminal that acts on none of them.

    Parameters
    ----------
    terminal : binary file object
        Where they go: as UTF-8, other bytes and control characters written out.

    Examples
    --------
    >>> import io
    >>> terminal = io.BytesIO()
    >>> shown = ShownOutput(terminal)
    >>> shown.write(b"50 %\x1b[2J caf\xc3"), shown.write(b"\xa9 \xff\n")
    (13, 4)
    >>> print(terminal.getvalue().decode(), end="")
    50 %\x1b[2J café \xff
    """

    def __init__(self, terminal: BinaryIO) -> None:
        self._terminal = terminal
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def write(self, data: bytes, /) -> int:
        """Show bytes; half a character waits for its other half."""
        text = printable_lines(self._decoder.decode(data))
        self._terminal.write(text.encode("utf-8"))
        return len(data)

    def flush(self) -> None:
        """Let the terminal show what it was given."""
        self._terminal.flush()


def output_to(stream: TextIO) -> ByteOutput:
    """Return where a run's bytes go: unchanged into files and pipes, shown elsewhere.

    Parameters
    ----------
    stream : text file object
        ``sys.stdout`` or ``sys.stderr``.
    """
    return ShownOutput(stream.buffer) if stream.isatty() else stream.buffer


def outputs() -> dict[str, ByteOutput]:
    """Return where the files ``out`` and ``err`` of a run go here."""
    return {"out": output_to(sys.stdout), "err": output_to(sys.stderr)}
