"""Files from elsewhere: opened only where they are files.

A named pipe, a socket or a device may stand where a file is expected. Opening a pipe
waits for ever, reading a device may have no end.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from edgeseg.devices.errors import InputError

_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


def kind_of(path: str | os.PathLike[str]) -> str | None:
    """Return what a path is, links followed; None where nothing can be seen there.

    Examples
    --------
    >>> kind_of("/dev/null"), kind_of("/"), kind_of("/nowhere/at/all")
    ('device', 'folder', None)
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # ValueError: a zero byte in the name
        return None
    return _KINDS.get(stat.S_IFMT(mode), "special file")


def check_file_or_folder(path: str | os.PathLike[str]) -> None:
    """Raise `InputError` where a path is neither a file nor a folder, but is there."""
    kind = kind_of(path)
    if kind not in (None, "file", "folder"):
        raise InputError(f"{os.fspath(path)} is a {kind}, expected a file")


def open_for_writing(path: Path) -> int:
    """Open a file, a named pipe or a device to add to it; never wait for a reader.

    Returns
    -------
    int
        A file descriptor.

    Raises
    ------
    OSError
        It cannot be opened, or it is a named pipe that nobody reads.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ENXIO:
            kind = kind_of(path)
            raise OSError(errno.ENXIO, f"it is a {kind} that nobody reads") from error
        raise
    os.set_blocking(descriptor, True)
    return descriptor
