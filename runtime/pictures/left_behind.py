"""Temporary files and folders that a killed process has left, and their removal.

While a process works on one it holds a lock on it, which goes with the process, even
by a kill. One that nobody holds is left behind, and the next process that works in
the same folder removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def hold(descriptor: int) -> bool:
    """Lock a file or folder until the descriptor is closed.

    Where the file system has no locks, nothing is locked, and nothing removed either.

    Returns
    -------
    bool
        Whether it is still there: it may have been removed before it was locked.
    """
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return os.fstat(descriptor).st_nlink > 0


def remove_left_behind(folder: Path, names: re.Pattern[str]) -> None:
    """Remove this user's files and folders of certain names that nobody holds.

    Parameters
    ----------
    folder : Path
        Where to look, not deeper; what cannot be read or removed there stays.
    names : re.Pattern
        Matches the whole name of what `hold` was called for, and no other name.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        found = [entry.path for entry in entries if names.fullmatch(entry.name)]
        for path in found:
            with contextlib.suppress(OSError):
                _remove_unless_held(path)


def _remove_unless_held(path: str) -> None:
    kind = os.lstat(path)
    is_folder = stat.S_ISDIR(kind.st_mode)
    if kind.st_uid != os.geteuid() or not (is_folder or stat.S_ISREG(kind.st_mode)):
        return
    access = os.O_DIRECTORY if is_folder else os.O_RDWR  # NFS locks what is writable
    flags = access | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_folder:
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)
    finally:
        os.close(descriptor)
