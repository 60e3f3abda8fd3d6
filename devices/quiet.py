"""Keep native libraries from writing over our own output."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Chatter:
    """What was written while output was held back."""

    def __init__(self) -> None:
        self.text = ""

    def tail(self, lines: int = 3) -> str:
        """Return the last non-empty lines, joined into one."""
        kept = [line.strip() for line in self.text.splitlines() if line.strip()]
        return " | ".join(kept[-lines:])


@contextmanager
def quiet(*, stdout: bool = False) -> Iterator[Chatter]:
    """Collect what this process writes to standard error, C++ libraries included.

    File descriptors are redirected, for the whole process: meant for short calls
    into third parties, not for running threads that print.

    Parameters
    ----------
    stdout : bool
        Hold back standard output as well.

    Yields
    ------
    Chatter
        Its ``text`` is filled in at the end of the block.
    """
    chatter = Chatter()
    descriptors = [2, 1] if stdout else [2]
    _flush()
    saved = {fd: os.dup(fd) for fd in descriptors}
    with _memory_file() as log:
        try:
            for fd in descriptors:
                os.dup2(log.fileno(), fd)
            yield chatter
        finally:
            _flush()
            for fd, copy in saved.items():
                os.dup2(copy, fd)
                os.close(copy)
            log.seek(0)
            chatter.text = log.read().decode(errors="replace")


def _memory_file() -> IO[bytes]:
    """Return a file that needs no folder: there may be none that can be written to."""
    if hasattr(os, "memfd_create"):  # not with a Python built for glibc before 2.27
        with contextlib.suppress(OSError):  # nor where a sandbox forbids the call
            return os.fdopen(os.memfd_create("edgeseg"), "w+b")
    return tempfile.TemporaryFile()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
