"""Run a step in a process of its own: limits, a log, one clear line when it fails.

TensorFlow and the quantizer can take all memory, hang, or end the process that they
run in. Here they do it to a child. The parent sees its progress, its result, or one
error; the child's own printing goes to a log file and disturbs neither.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from edgeseg.converter.isolation.folder import is_full, no_space
from edgeseg.converter.isolation.processes import kill_session, resident_bytes
from edgeseg.devices import ConversionError, EdgesegError, OutputError
from edgeseg.devices import errors as _errors
from edgeseg.devices.plain_text import plain, reason_of
from edgeseg.devices.process_log import last_line_in, reason_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgeseg.devices.types import Json

LOG = "log.txt"
_JOB = "job.json"
_TICK = 0.1  # seconds between looks at time and memory
_GRACE = 10.0  # seconds to end after the result was handed over
_TAIL = 300  # characters of the log in an error


def run_isolated(
    target: str,
    job: Json,
    *,
    progress: Callable[[str], None],
    timeout_s: float,
    memory_bytes: int,
    folder: Path,
) -> Json:
    """Call a function in a child process and return what it returns.

    The child, and whatever it starts, has ended when this returns or raises, and it
    is killed when this process dies.

    Parameters
    ----------
    target : str
        ``"package.module:function"``, called with the job and with a function that
        takes a line of progress; it returns a dict of JSON values.
    job : dict
        JSON values.
    progress : callable
        Called with each line of progress as it comes.
    timeout_s : float
        Limit in seconds.
    memory_bytes : int
        Limit of the resident memory of the child and its children together, in
        bytes; enforced where there is a ``/proc``.
    folder : Path
        An existing folder of the caller: gets ``log.txt`` and ``job.json``, and is
        where the child makes its temporary files.

    Returns
    -------
    dict
        What the function returned, with ``peak_bytes`` (resident memory) and
        ``seconds`` added.

    Raises
    ------
    EdgesegError
        The function raised it there: same class, same message.
    ConversionError
        It raised anything else, was killed, or passed a limit; the message ends with
        the reason that the log gives, or with what it was at.
    """
    (folder / _JOB).write_text(json.dumps(job), "utf-8")
    start = time.monotonic()
    with _IsolatedProcess(target, folder) as child:
        answer = child.answer(progress, start + timeout_s, memory_bytes)
        peak = max(child.peak_bytes, answer.get("peak_bytes", 0))
    full = child.was_full or answer.get("full", False)
    if "error" in answer:
        name, message = answer["error"]
        raise _error(name, message, folder if full else None)
    if "result" in answer:
        seconds = time.monotonic() - start
        return {**answer["result"], "peak_bytes": peak, "seconds": seconds}
    limit = {"time": f"{timeout_s:g} s", "memory": f"{memory_bytes / 1e9:.1f} GB"}
    reason = answer.get("limit")
    what = f"passed its {reason} limit of {limit[reason]}" if reason else child.fate
    detail = _tail(folder / LOG, ended=reason is None and not child.was_killed)
    detail = detail or plain(answer.get("reason", ""))[-_TAIL:]
    if full:  # the log is cut off there
        detail = "; ".join(filter(None, (detail, no_space(folder))))
    detail = f": {detail}" if detail else ""
    raise ConversionError(f"the conversion process {what}{detail}")


class _IsolatedProcess:
    """The process, its pipe of messages, and its end."""

    def __init__(self, target: str, folder: Path) -> None:
        self.peak_bytes = 0
        self.was_full = False  # at any time: what failed may have been removed since
        self._folder = folder
        self._buffer = b""
        self._messages, writing = os.pipe()
        module = "edgeseg.converter.isolation.child_main"
        try:
            with (folder / LOG).open("wb") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", module, target, str(writing), folder / _JOB],
                    stdin=subprocess.PIPE,  # closed when this process dies
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **_environment(folder)},
                    pass_fds=(writing,),
                    start_new_session=True,
                )
        except OSError as error:
            os.close(self._messages)
            raise ConversionError(
                f"the conversion process cannot be started with {sys.executable}: "
                f"{reason_of(error)}"
            ) from error
        except BaseException:
            os.close(self._messages)
            raise
        finally:
            os.close(writing)

    def __enter__(self) -> _IsolatedProcess:
        return self

    def __exit__(self, *error: object) -> None:
        kill_session(self._process.pid)  # before it is waited for: the id is still its
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()
        os.close(self._messages)

    @property
    def was_killed(self) -> bool:
        """Whether somebody else ended the process."""
        return bool(self._process.returncode == -signal.SIGKILL)

    @property
    def fate(self) -> str:
        """How the process ended, in words."""
        code = self._process.returncode
        if code < 0:
            name = signal.Signals(-code).name
            hint = "; out of memory?" if -code == signal.SIGKILL else ""
            return f"was killed by signal {-code} ({name}{hint})"
        return f"failed (exit status {code})" if code else "ended without a result"

    def answer(
        self, progress: Callable[[str], None], deadline: float, memory_bytes: int
    ) -> Json:
        """Return the last message, or the limit that was passed, or nothing."""
        while True:
            ended = self._has_ended()
            messages = self._read(0 if ended else _TICK)
            for message in messages or ():
                if "progress" not in message:
                    self._await_end(time.monotonic() + _GRACE)
                    return message
                progress(message["progress"])
            if ended and messages is None:
                return {}
            used = resident_bytes(self._process.pid)
            self.peak_bytes = max(self.peak_bytes, used)
            self.was_full = self.was_full or is_full(self._folder)
            if used > memory_bytes:
                return {"limit": "memory"}
            if time.monotonic() > deadline:
                return {"limit": "time"}

    def _read(self, wait_s: float) -> list[Json] | None:
        """Return the messages that came within `wait_s`; None when nothing came."""
        if not select.select([self._messages], [], [], wait_s)[0]:
            return None
        chunk = os.read(self._messages, 1 << 20)
        if not chunk:  # the child closed its end: do not spin until it has ended
            time.sleep(wait_s)
            return None
        *lines, self._buffer = (self._buffer + chunk).split(b"\n")
        return [json.loads(line) for line in lines]

    def _await_end(self, deadline: float) -> None:
        while not self._has_ended() and time.monotonic() < deadline:
            time.sleep(_TICK / 10)

    def _has_ended(self) -> bool:
        """Return whether it ended; nobody waits for it yet, so that its id stays."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, flags) is not None


def _environment(folder: Path) -> dict[str, str]:
    return {
        "TMPDIR": str(folder),
        "PYTHONUNBUFFERED": "1",  # the log holds what was printed before a crash
        "PYTHONFAULTHANDLER": "1",
        "PYTHONSAFEPATH": "1",  # modules of the current folder stay out
    }


def _error(name: str, message: str, full: Path | None) -> EdgesegError:
    kind: type[EdgesegError] = getattr(_errors, name)
    names_place = kind is OutputError and "no space left" in message.lower()
    if full is not None and "no space is left" not in message and not names_place:
        # what a library makes of a full disk may be anything
        message = f"{message}; {no_space(full)}"
    return kind(message)


def _tail(log: Path, *, ended: bool) -> str:
    """Return what the log says of the end; only its last line if others ended it."""
    text = log.read_text("utf-8", "replace")
    return reason_in(text, _TAIL) if ended else last_line_in(text, _TAIL)
