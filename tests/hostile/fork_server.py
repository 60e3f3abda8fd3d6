"""A process that has imported what commands need, and forks one child per command.

``python -m hostile.fork_server NAME`` reads requests, one JSON object a line, and
answers each with one line on how the child ended. The child is what the command line
is: it runs `edgeseg.runtime.cli.main` and ends as an interpreter ends. Importing once
makes an input cost a twentieth of a process of its own.

This process adopts what its children leave behind (Linux' child subreaper), so that
nothing gets away unseen.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import importlib
import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
from pathlib import Path

WARM = {
    "none": (),
    "runtime": (
        "cv2",
        "PIL.Image",
        "ai_edge_litert.interpreter",
        "tomllib",
        "edgeseg.runtime",
        "edgeseg.runtime.commands.run",
        "edgeseg.runtime.commands.info",
        "edgeseg.runtime.commands.check",
        "edgeseg.runtime.commands.service",
        "edgeseg.runtime.commands.remote",
        "edgeseg.runtime.output.open",
        "edgeseg.runtime.capture.http",
        "edgeseg.benchmarks.commands.eval",
        "edgeseg.benchmarks.commands.parity",
        "edgeseg.benchmarks.commands.report",
        "edgeseg.benchmarks.accuracy.evaluate",
        "jinja2",
    ),
    "keras": (
        "edgeseg.converter",
        "edgeseg.converter.loading.load",
        "edgeseg.converter.loading.formats.hdf5",
        "edgeseg.converter.loading.formats.keras_file",
        "edgeseg.converter.loading.formats.savedmodel",
        "edgeseg.converter.quantization.ranges_file",
        "edgeseg.converter.quantization.quantize",
        "edgeseg.converter.training.state",
        "edgeseg.benchmarks.commands.eval",
        "edgeseg.benchmarks.accuracy.evaluate",
    ),
}
GRACE_S = 1.0  # that what a command started has to end after it
_LARGEST_FILE = 256 << 20  # bytes that a child may write into one file
_ADOPT = 36  # PR_SET_CHILD_SUBREAPER


def main() -> None:
    """Serve until standard input ends; in a child, run the command."""
    for name in WARM[sys.argv[1]]:
        importlib.import_module(name)
    if sys.argv[1] == "keras":
        from edgeseg.converter.frameworks import need  # imports them as commands do

        for name in ("tensorflow", "keras", "h5py", "ai_edge_quantizer.quantizer"):
            need(name)
    gc.collect()
    gc.freeze()
    request = _serve()
    if request is not None:
        _run(request)


def _serve() -> dict | None:
    """Answer requests; in a forked child return the request."""
    ctypes.CDLL(None).prctl(_ADOPT, 1, 0, 0, 0)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            answers.close()
            return request
        print(json.dumps(_watch(child, request)), file=answers, flush=True)
    return None


def _watch(child: int, request: dict) -> dict:
    """Wait for a child and what it started; return how they ended."""
    start = time.monotonic()
    descriptor = os.pidfd_open(child)
    ended = select.select([descriptor], [], [], request["timeout_s"])[0]
    os.close(descriptor)
    if not ended:
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - start
    left = _reap(GRACE_S if ended else 0.0)
    return {
        "status": os.waitstatus_to_exitcode(status),
        "hung": not ended,
        "peak_bytes": usage.ru_maxrss << 10,
        "seconds": round(seconds, 3),
        "left_behind": left,
    }


def _reap(grace_s: float) -> list[str]:
    """Wait for adopted children; kill and return those that stay."""
    deadline = time.monotonic() + grace_s
    while _children() and time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.02)
    left = []
    for pid in _children():
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            left.append(words.replace(b"\0", b" ").decode("utf-8", "replace")[:200])
    while children := _children():
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, 0)
    return left


def _children() -> list[int]:
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(word) for word in text.split()]


def _run(request: dict) -> None:
    """Become the command."""
    os.setsid()
    for number, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, request["stdout"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, request["stderr"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        opened = os.open(name, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(request["environ"])
    os.chdir(request["cwd"])
    tempfile.tempdir = None
    _limit(request)
    if request["plain"]:
        words = ["-c", _PROGRAM, *request["argv"]]
        os.execv(sys.executable, [sys.executable, *words])
    where = open(request["trace"], "w")  # noqa: SIM115 (open until the process ends)
    faulthandler.enable(where)
    faulthandler.dump_traceback_later(request["timeout_s"] * 0.9, file=where)
    sys.argv = ["edgeseg", *request["argv"]]
    exec(_PROGRAM, {"__name__": "__main__"})


def _limit(request: dict) -> None:
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most = now + request["memory_bytes"]
    for what, value in (
        (resource.RLIMIT_AS, most),
        (resource.RLIMIT_FSIZE, _LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (value, value))


# the command line, with functions that no command reaches cheaply as commands more
_PROGRAM = """
from edgeseg.runtime import cli
from hostile.entries import ENTRIES
cli._COMMANDS.update(ENTRIES)
cli.main()
"""

if __name__ == "__main__":
    main()
