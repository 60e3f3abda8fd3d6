"""The other side of `run_isolated`: what runs in the child process.

``python -m edgeseg.converter.isolation.child_main TARGET FD JOB``: messages are lines
of JSON written to the file descriptor FD, which nothing else knows of; standard output
and standard error are a log.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.isolation.folder import is_no_room
from edgeseg.converter.isolation.processes import peak_resident_bytes
from edgeseg.devices import EdgesegError
from edgeseg.devices import errors as _errors

if TYPE_CHECKING:
    from edgeseg.devices.types import Json


def main(target: str, descriptor: int, job: Path) -> None:
    """Call the target and send its result, or the package's own error.

    Any other exception ends the process with a traceback in the log, and is sent as
    its reason, too: a full disk has no room for the log.

    Parameters
    ----------
    target : str
        ``"package.module:function"``.
    descriptor : int
        Where messages go.
    job : Path
        A JSON file.
    """
    _die_with_parent()
    os.set_inheritable(descriptor, False)
    module, _, function = target.partition(":")
    try:
        call = getattr(importlib.import_module(module), function)
        result = call(
            json.loads(job.read_text("utf-8")),
            lambda line: _send(descriptor, {"progress": line}),
        )
        peak = peak_resident_bytes()
        _send(descriptor, {"result": dict(result), "peak_bytes": peak})
    except EdgesegError as error:
        kinds = (kind.__name__ for kind in type(error).__mro__)
        known = next(name for name in kinds if hasattr(_errors, name))
        _send(descriptor, {"error": [known, str(error)], "full": is_no_room(error)})
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        _send(descriptor, {"reason": reason, "full": is_no_room(error)})
        raise


def _send(descriptor: int, message: Json) -> None:
    data = memoryview(json.dumps(message).encode() + b"\n")
    while data:
        data = data[os.write(descriptor, data) :]


def _die_with_parent() -> None:
    """End this process, and what it starts, when the parent has died.

    Standard input is a pipe that nothing is written to and that closes with the
    parent. Linux then signals this process group by itself, even while native code
    holds the interpreter; elsewhere a thread sees the pipe's end.
    """
    threading.Thread(target=_await_parents_end, daemon=True).start()
    if sys.platform == "linux":
        fcntl.fcntl(0, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(0, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)


def _await_parents_end() -> None:
    os.read(0, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
