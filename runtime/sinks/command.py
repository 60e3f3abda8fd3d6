"""A program that is started for each event: ``command:PROGRAM ARGUMENT ...``."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.output.event_queue import QueuedEvents, check_watching

if TYPE_CHECKING:
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.zones.events import Event

TIMEOUT_S = 10.0


class CommandSink(QueuedEvents):
    """Starts a program with each event as JSON on its standard input.

    One at a time, without a shell; a run never waits for it. A program that takes more
    than ten seconds is killed, with what it has started. At most 256 events wait: of
    more the oldest are dropped and counted. What it prints goes to standard error.

    Parameters
    ----------
    text : str
        The program and its arguments, quoted as for a shell.
    style : Style
        Has the zones and lines.

    Raises
    ------
    InputError
        There is no such program, or there are no zones and lines.
    """

    def __init__(self, text: str, style: Style) -> None:
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise InputError(
                f"command: expected PROGRAM ARGUMENT ..., got {text!r}: {error}"
            ) from error
        program = shutil.which(os.path.expanduser(words[0])) if words else None
        if program is None:
            raise InputError(
                f"command: expected a program that can be started, got {text!r}"
            )
        check_watching("command", style)
        self._words = [os.path.abspath(program), *words[1:]]
        super().__init__(self._start, f"command {os.path.basename(program)}")

    def _start(self, event: Event) -> str:
        """Run the program for one event; return why that has failed."""
        try:
            started = subprocess.Popen(
                self._words,
                stdin=subprocess.PIPE,
                stdout=2,  # standard output may hold JSON lines
                env=_environment(),
                start_new_session=True,
            )
        except OSError as error:
            return f"cannot be started: {reason_of(error)}"
        line = json_text(event.to_dict()).encode() + b"\n"
        try:
            started.communicate(line, TIMEOUT_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.wait()
            return f"was killed after {TIMEOUT_S:g} s"
        status = started.returncode
        return f"ended with exit status {status}" if status else ""


def _environment() -> dict[str, str]:
    """Return the environment without edgeseg's own secrets."""
    return {k: v for k, v in os.environ.items() if not k.startswith("EDGESEG_")}


ADDRESS = AddressKind(Rest.TEXT)
PLUGIN = CommandSink
