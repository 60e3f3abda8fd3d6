"""Run a compiler: its own process group, a time limit, and output that is bounded."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from typing import TYPE_CHECKING

from edgeseg.converter.compilation.contract import Ended
from edgeseg.devices import ConversionError, MissingDriverError
from edgeseg.devices.plain_text import reason_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_KEPT = 8 << 20  # bytes of output, from its end: a compiler gone mad prints for ever


def run_program(command: Sequence[str], timeout_s: float, title: str) -> Ended:
    """Run a program; at the end, or after the time limit, kill all that it started.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    timeout_s : float
        Seconds that it may take.
    title : str
        What messages call it.

    Raises
    ------
    ConversionError
        It took too long.
    MissingDriverError
        It cannot be started.
    """
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its own group: it compiles in a child process
            )
        except OSError as error:
            raise MissingDriverError(
                f"{title} cannot be started: {command[0]}: {reason_of(error)}"
            ) from error
        try:
            code = process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            raise ConversionError(
                f"{title} took over {timeout_s:g} s and was stopped: give --timeout "
                "more, or the model smaller pictures"
            ) from error
        finally:
            with contextlib.suppress(ProcessLookupError):  # all of it ended by itself
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        size = output.seek(0, os.SEEK_END)
        output.seek(max(size - _KEPT, 0))
        return Ended(code, output.read().decode("utf-8", "replace"))


def how_it_ended(code: int) -> str:
    """Return an exit status in words, such as ``"ended with status 1"``."""
    if code >= 0:
        return f"ended with status {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


def read_made(path: Path, title: str) -> bytes:
    """Return the bytes of a file that a compiler has made.

    Raises
    ------
    ConversionError
        There is none, or it is empty.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConversionError(
            f"{title} made no file that can be read: {reason_of(error)}"
        ) from error
    if not content:
        raise ConversionError(f"{title} made an empty file")
    return content
