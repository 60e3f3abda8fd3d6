"""The first inference of an unknown model, in a child process that may die of it.

`edgeseg.devices.tflite_file` refuses what is known to be wrong with a file. What kills
an interpreter nevertheless (SIGSEGV, SIGABRT) kills the child, and the user reads one
line. What passed is remembered by the file's SHA-256, the interpreter and its version,
so that a file is tried once on a machine; models that ship are not tried.

The child is a fork: it has the interpreter already and costs as much as one
preparation and one inference. A new Python would take some 200 ms more for its
imports. It opens no hardware: whoever holds an accelerator does not call this.
"""

from __future__ import annotations

import contextlib
import os
import signal
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from edgeseg.devices.errors import ModelError
from edgeseg.devices.linux_files import ROOT, cache_folder, read_text

if TYPE_CHECKING:
    from collections.abc import Callable

# a float DeepLab on Xception takes some 20 s on a Raspberry Pi 3
LIMIT_S = 60
# reserved by the stacks of an interpreter's threads, hardly used
_STACKS = 1 << 30
_PASSED, _RAISED, _MEMORY = b"p", b"r", b"m"
_known_files: set[Path] = set()


def trust(model: Path) -> None:
    """Take a file as known, one that is part of an installation."""
    _known_files.add(model)


def try_first_inference(model: Path, runtime: str, infer: Callable[[], object]) -> None:
    """Run an unknown model once in a child process.

    Where no child can be started, nothing is tried: the model then runs as if known.

    Parameters
    ----------
    model : Path
        The file.
    runtime : str
        Interpreter, version and settings that decide how the model runs.
    infer : callable
        Opens the model and runs it once. What it raises is left to the caller, who
        meets the same in this process.

    Raises
    ------
    ModelError
        The child was killed, took longer than `LIMIT_S` or more memory than there is.
    """
    if model in _known_files or not hasattr(os, "fork"):
        return
    remembered = _remembered_at(model, runtime)
    if remembered is not None and remembered.exists():
        return
    outcome, status = _run_in_child(infer)
    if outcome == _PASSED and remembered is not None:
        with contextlib.suppress(OSError):  # tried again the next time
            remembered.parent.mkdir(parents=True, exist_ok=True)
            remembered.touch(mode=0o600)
    if outcome == _MEMORY:
        raise ModelError(
            f"{model}: its first inference needs more memory than this machine has free"
        )
    if outcome == b"" and os.WIFSIGNALED(status):
        raise ModelError(f"{model}: {_reason(os.WTERMSIG(status))}")


def _reason(number: int) -> str:
    if number == signal.SIGALRM:
        return f"its first inference did not end within {LIMIT_S} s"
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return (
        f"its first inference was killed by {name}: the model is damaged, or needs "
        "more than this machine has"
    )


def _run_in_child(infer: Callable[[], object]) -> tuple[bytes, int]:
    """Return what the child said, nothing where it was killed, and how it ended."""
    reading, writing = os.pipe()
    try:
        with warnings.catch_warnings():
            # Python warns of threads that the child does not have: it needs none
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
    except OSError:  # no more processes allowed
        os.close(reading)
        os.close(writing)
        return _RAISED, 0
    if child == 0:
        _be_child(infer, writing)
    os.close(writing)
    try:
        outcome = os.read(reading, 1)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        os.close(reading)
        status = 0
        with contextlib.suppress(ChildProcessError):  # this program ignores SIGCHLD
            status = os.waitpid(child, 0)[1]
    return outcome, status


def _be_child(infer: Callable[[], object], writing: int) -> NoReturn:
    outcome = _RAISED
    try:
        _bound_child()
        infer()
        outcome = _PASSED
    except MemoryError:
        outcome = _MEMORY
    finally:
        with contextlib.suppress(OSError):
            os.write(writing, outcome)
        os._exit(0)


def _bound_child() -> None:
    import faulthandler
    import logging
    import resource

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.alarm(LIMIT_S)
    logging.disable(logging.CRITICAL)
    faulthandler.disable()  # it would print where the parent prints
    silence = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(silence, descriptor)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):  # if memory ends, the child goes first
        Path("/proc/self/oom_score_adj").write_text("1000", "utf-8")
    if (most := _memory_limit()) is not None:
        with contextlib.suppress(ValueError, OSError, OverflowError):
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _memory_limit(root: Path = ROOT) -> int | None:
    """Return how many bytes a process may map: what it has, and what is free."""
    sizes = (read_text(root / "proc/self/statm") or "").split()
    for line in (read_text(root / "proc/meminfo") or "").splitlines():
        if line.startswith("MemAvailable:") and len(sizes) > 5:
            own = int(sizes[5]) * os.sysconf("SC_PAGE_SIZE")
            return own + int(line.split()[1]) * 1024 + _STACKS
    return None


def _remembered_at(model: Path, runtime: str) -> Path | None:
    """Return the empty file that says that a model passed, None without a folder."""
    import hashlib  # and OpenSSL's library: a run of the shipped model does without

    try:
        with model.open("rb") as file:
            digest = hashlib.sha256()
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        folder = _cache_folder()
    except OSError:
        return None
    if folder is None:  # no home: tried each time
        return None
    settings = "".join(c if c.isalnum() or c in ".-" else "_" for c in runtime)
    return folder / "first-inference" / f"{digest.hexdigest()}-{settings}"


def _cache_folder() -> Path | None:
    """Return where to remember things, None where that would make a home."""
    # CACHE_DIRECTORY is systemd's, for a unit that has CacheDirectory=
    given = os.environ.get("CACHE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    folder = cache_folder()
    return folder if folder.parent.parent.is_dir() else None
