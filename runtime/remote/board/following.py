"""Send what a run prints, as it prints it, until it ends or nobody listens."""

import json
import os
import select
import sys
import time
from typing import Any, BinaryIO

from edgeseg.runtime.remote.board import messages, processes
from edgeseg.runtime.remote.board.store import BoardError

_POLL_S = 0.1
_ATTEND_S = 2.0
_LOST_S = 3.0  # a process that is gone this long without exit.json was killed
_PIECE = 1 << 16
_FILES = ("log", "err", "out")
_TAIL = 1 << 20  # bytes of each file, and characters in all, that are shown at most


def follow(
    replies: BinaryIO, run: str, offsets: "dict[str, int]"
) -> "dict[str, Any] | None":
    """Follow a run; return what is known of it at its end, None if nobody listens.

    Parameters
    ----------
    replies : file object
        Messages go here; ``stop`` is the only one that may come meanwhile.
    run : str
        Name of the run.
    offsets : dict
        How much of each file the workstation has.
    """
    folder = processes.run_folder(run)
    if not set(offsets) <= set(_FILES):
        raise BoardError("not what a run prints to: " + repr(sorted(offsets)))
    # nothing is sent before this has come: hence no request waits in a buffer below
    messages.send(replies, {"following": run})
    attended = gone = 0.0
    while True:
        now = time.monotonic()
        if now - attended > _ATTEND_S:
            processes.attend(run)
            attended = now
        record = processes.read(run)  # before the files: what it printed last is there
        moved = [_send_new(replies, folder, name, offsets) for name in offsets]
        if record["running"]:
            gone = 0.0
        elif not any(moved):
            gone = gone or now
            if "exit" in record or now - gone > _LOST_S:
                return record
        if not _listen(run, 0.0 if any(moved) else _POLL_S):
            return None


def _send_new(
    replies: BinaryIO, folder: str, name: str, offsets: "dict[str, int]"
) -> bool:
    try:
        with open(os.path.join(folder, name), "rb") as file:
            file.seek(offsets[name])
            piece = file.read(_PIECE)
    except FileNotFoundError:
        return False
    if piece:
        messages.send(replies, {"file": name}, piece)
        offsets[name] += len(piece)
    return bool(piece)


def _listen(run: str, patience_s: float) -> bool:
    """Wait a moment for messages; False where the connection has ended."""
    ready, _, _ = select.select([sys.stdin], [], [], patience_s)
    if not ready:
        return True
    come = os.read(sys.stdin.fileno(), _PIECE)
    for line in come.splitlines():  # each is far shorter than a pipe takes at once
        message = json.loads(line.decode("ascii"))
        if message["op"] == "stop":
            processes.stop(run, message["hard"])
    return bool(come)


def tail(run: str, count: int) -> "tuple[str, dict[str, int]]":
    """Return the last lines that a run printed, and how much there is of each file."""
    folder = processes.run_folder(run)
    text, sizes = b"", {}
    for name in _FILES:
        path = os.path.join(folder, name)
        if os.path.exists(path):
            sizes[name] = os.path.getsize(path)
            text += _end_of(path, sizes[name], count)
    lines = text.decode("utf-8", "replace").splitlines(True)
    return "".join(lines[-count:])[-_TAIL:], sizes


def _end_of(path: str, size: int, count: int) -> bytes:
    """Return the end of a file that holds so many lines of up to 1 kB."""
    with open(path, "rb") as file:
        file.seek(max(0, size - min(count * 1024, _TAIL)))
        return file.read(size - file.tell())
