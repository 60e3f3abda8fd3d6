"""Standard output and standard error that show any text, whatever their encoding."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from typing import TYPE_CHECKING

import click

from edgeseg.devices.plain_text import encodable, printable_lines

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_HANDLER = "edgeseg-escape"


def open_closed_streams() -> None:
    """Open standard input, output and error where this process was started without.

    Else the next files that are opened would take their numbers.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


def show_any_text() -> None:
    r"""Let this process's output escape what it cannot show, instead of failing.

    A name that is no UTF-8 is shown as `encodable` has it, a character that the
    terminal's encoding lacks as ``\u`` and its number. Where the encoding is ASCII,
    which a missing locale means, UTF-8 is written.
    """
    codecs.register_error(_HANDLER, _escaped)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding="utf-8" if is_ascii else None, errors=_HANDLER)
            if stream.isatty():
                setattr(sys, name, _outliving(stream))


def _outliving(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """Return the same terminal as a stream that can be written to after it has gone."""
    raw = _Terminal(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
    )


class _Terminal(io.FileIO):
    """A terminal that may be closed: what nobody can read any more is no error.

    A run ends in order then, with what it has to say at its end.
    """

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return memoryview(data).nbytes


def show(text: str, *, err: bool = False) -> None:
    """Print lines in which names stand that files and boards gave.

    Parameters
    ----------
    text : str
        What a terminal would act on is escaped; see `printable_lines`.
    err : bool
        Print to standard error.
    """
    click.echo(printable_lines(text), err=err)


def _escaped(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = encodable(error.object[error.start : error.end])
    return text.encode(error.encoding, "backslashreplace"), error.end
