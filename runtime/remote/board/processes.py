"""Commands that run on the board: each has a folder under ``runs/``.

``run.json`` says what runs, ``out`` and ``err`` (``log`` for a detached one) is what
it printed, ``exit.json`` how it ended, ``work/`` its folder. A supervisor, a process of
its own that no connection holds, starts it and waits for it. A command that is not
detached is ended where nobody has followed it for a while: the connection is gone.

What a run wrote: its files and their bytes.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from typing import Any, BinaryIO

from edgeseg.runtime.remote.board import messages
from edgeseg.runtime.remote.board.store import BoardError, one_name, place, sha256

_POLL_S = 0.2
_NOTED_S = 3.0  # until a supervisor has noted an end
_KEPT = 20  # folders of runs that have ended
# how long a command gets to end after each signal
_STEPS = ((signal.SIGINT, 15.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))


def run_folder(run: str) -> str:
    """Return the folder of a run."""
    return place("runs", one_name(run))


def start(
    token: str,
    argv: "list[str]",
    environment: "dict[str, str]",
    record: "dict[str, Any]",
    grace_s: "float | None",
) -> str:
    """Start a command and return the name of its run.

    Parameters
    ----------
    token : str
        Made for this run by the workstation: asked again, the run is not begun again.
    argv : list of str
        Program and arguments; no shell sees them.
    environment : dict
        Variables beside those of the connection.
    record : dict
        What `logs` shows of it.
    grace_s : float or None
        Seconds that it goes on without a follower; None: without end.
    """
    there = [name for name in _names() if name.endswith("-" + token)]
    if there:
        return there[0]
    _remove_old()
    run = time.strftime("%Y%m%d-%H%M%S-") + token
    folder = run_folder(run)
    os.makedirs(os.path.join(folder, "work"))
    attend(run)
    ready, started = os.pipe()
    if os.fork() == 0:
        os.close(ready)
        try:
            _supervise(folder, argv, environment, record, grace_s, started)
        finally:
            os._exit(0)
    os.close(started)
    with os.fdopen(ready) as pipe:
        trouble = pipe.read()
    if trouble:
        raise BoardError(trouble)
    return run


def _supervise(
    folder: str,
    argv: "list[str]",
    environment: "dict[str, str]",
    record: "dict[str, Any]",
    grace_s: "float | None",
    started: int,
) -> None:
    os.setsid()
    _let_go_of_the_connection(started)
    try:
        process = _spawn(folder, argv, environment, detached=grace_s is None)
        _write(folder, "run.json", dict(record, argv=argv, **_identity(process.pid)))
    except OSError as error:
        os.write(started, str(error).encode())
        return
    os.close(started)
    while process.poll() is None:
        if grace_s is not None and time.monotonic() - _attended(folder) > grace_s:
            end(process.pid, lambda: process.poll() is None)
        time.sleep(_POLL_S)
    _write(folder, "exit.json", {"exit": process.returncode, "ended": time.time()})


def _let_go_of_the_connection(kept: int) -> None:
    """Close all files but one: a connection ends when nobody holds its ends."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.closerange(3, kept)
    os.closerange(kept + 1, 256)


def _spawn(
    folder: str, argv: "list[str]", environment: "dict[str, str]", detached: bool
) -> "subprocess.Popen[bytes]":
    names = ("log", "log") if detached else ("out", "err")
    paths = [os.path.join(folder, name) for name in names]
    with open(paths[0], "ab") as out, open(paths[1], "ab") as err:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=os.path.join(folder, "work"),
            env=dict(os.environ, **environment),
            start_new_session=True,
        )


def end(pid: int, is_running: Any) -> None:
    """End a process group: asked, asked again, killed."""
    for number, patience_s in _STEPS:
        with contextlib.suppress(OSError):  # it has ended meanwhile
            os.killpg(pid, number)
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            if not is_running():
                return
            time.sleep(_POLL_S / 4)


def stop(run: str, hard: bool) -> None:
    """Ask a run to end, or kill it; its supervisor notes how it ended."""
    record = read(run)
    if record["running"]:
        os.killpg(record["pid"], signal.SIGKILL if hard else signal.SIGINT)


def attend(run: str) -> None:
    """Note that somebody follows a run; the clock is one that nobody sets."""
    _write(run_folder(run), "attended.json", {"monotonic": time.monotonic()})


def _attended(folder: str) -> float:
    with open(os.path.join(folder, "attended.json")) as file:
        return float(json.load(file)["monotonic"])


def read(run: str) -> "dict[str, Any]":
    """Return what is known of a run: ``running``, and ``exit`` where it has ended."""
    folder = run_folder(run)
    record = dict(_read(folder, "run.json"), run=run, folder=folder)
    ended = _read(folder, "exit.json")
    record.update(ended, running=not ended and is_alive(record))
    return record


def is_alive(record: "dict[str, Any]") -> bool:
    """Return whether a process is there, and is still the same one."""
    if "pid" not in record:
        return False
    now = _identity(record["pid"])
    return all(record[key] == now[key] for key in ("boot", "ticks")) and bool(
        now["ticks"]
    )


def _identity(pid: int) -> "dict[str, Any]":
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        fields = []
    gone = not fields or fields[0] == "Z"
    with open("/proc/sys/kernel/random/boot_id") as file:
        boot = file.read().strip()
    # field 22 of proc(5) is the start time; the state, the third, comes first here
    return {"pid": pid, "ticks": "" if gone else fields[19], "boot": boot}


def known() -> "list[dict[str, Any]]":
    """Return what is known of each run that a user began: the newest first."""
    found = [read(name) for name in reversed(_names())]
    return [record for record in found if not record.get("inner")]


def kill(run: str) -> "dict[str, Any]":
    """End a run for certain and return how it ended."""
    record = read(run)
    if record["running"]:
        end(record["pid"], lambda: is_alive(record))
    until = time.monotonic() + _NOTED_S
    while "exit" not in read(run) and time.monotonic() < until:
        time.sleep(_POLL_S / 4)
    return read(run)


def environments_in_use() -> "set[str]":
    """Return the folders of environments that something runs in."""
    record = [read(name) for name in _names()]
    return {
        os.path.dirname(os.path.dirname(t["argv"][0])) for t in record if t["running"]
    }


def _names() -> "list[str]":
    return sorted(n for n in os.listdir(os.path.dirname(place("runs", "any"))))


def _remove_old() -> None:
    for name in _names()[:-_KEPT]:
        if not read(name)["running"]:
            shutil.rmtree(run_folder(name), ignore_errors=True)


def _read(folder: str, name: str) -> "dict[str, Any]":
    try:
        with open(os.path.join(folder, name)) as file:
            record: dict[str, Any] = json.load(file)
    except (OSError, ValueError):
        return {}
    return record


def _write(folder: str, name: str, record: "dict[str, Any]") -> None:
    temporary = os.path.join(folder, f".{name}-{os.getpid()}")
    with open(temporary, "w") as file:
        json.dump(record, file)
    os.replace(temporary, os.path.join(folder, name))


def listing(run: str) -> "list[list[Any]]":
    """Return ``[path in the run's folder, bytes, SHA-256]`` of each file."""
    top = os.path.join(run_folder(run), "work")
    found = []
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            # what a link leads to is not of this run
            if os.path.isfile(path) and not os.path.islink(path):
                relative, size = os.path.relpath(path, top), os.path.getsize(path)
                found.append([relative, size, sha256(path)])
    return sorted(found)


def send(replies: BinaryIO, run: str, relative: str, offset: int) -> None:
    """Send a file from an offset on."""
    top = os.path.realpath(os.path.join(run_folder(run), "work"))
    path = os.path.realpath(os.path.join(top, relative))
    if not path.startswith(top + os.sep):
        raise BoardError("not a file of this run: " + repr(relative))
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(offset)
        messages.send(replies, {"payload": size - offset})
        left = size - offset
        while left > 0:
            piece = file.read(min(left, 1 << 16))
            if not piece:
                raise BoardError("a file became shorter: " + repr(relative))
            replies.write(piece)
            left -= len(piece)
    replies.flush()
