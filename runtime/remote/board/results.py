"""What a run wrote: its files and their bytes."""

import os
from typing import Any, BinaryIO

from edgeseg.runtime.remote.board import messages, processes
from edgeseg.runtime.remote.board.store import BoardError, sha256


def listing(run: str) -> "list[list[Any]]":
    """Return ``[path in the run's folder, bytes, SHA-256]`` of each file."""
    top = os.path.join(processes.run_folder(run), "work")
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
    top = os.path.realpath(os.path.join(processes.run_folder(run), "work"))
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
