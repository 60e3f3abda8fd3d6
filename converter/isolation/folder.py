"""A temporary folder, or one line that says why there is none."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import EdgesegError, OutputError
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.pictures.left_behind import hold, remove_left_behind

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = 1 << 16  # bytes left, below which a file system is taken to be full
_FEW = 4  # files that may still be made, of which the same is true
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_PREFIX = "edgeseg-work-"
_FOLDERS = re.compile(rf"{_PREFIX}[a-z0-9_]{{8}}")
_HINT = "set TMPDIR to a folder with more room"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder of one's own, which is removed at the end.

    After a kill it stays; the next call of any process removes it.

    Raises
    ------
    OutputError
        None can be made, or it becomes full.
    """
    wanted = os.environ.get("TMPDIR")
    if wanted and not Path(wanted).is_dir():  # Python would silently take another one
        raise OutputError(f"TMPDIR names {wanted}, which is no folder: {_HINT}")
    try:
        folder, held = _held_folder()
    except OSError as error:
        where = f" in {tempfile.tempdir}" if tempfile.tempdir else ""
        raise OutputError(
            f"cannot make a temporary folder{where}: {reason_of(error)}; {_HINT}"
        ) from error
    with folder as name:
        try:
            yield Path(name)
        except EdgesegError:
            raise
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise OutputError(no_space(Path(name))) from error
            raise
        finally:
            os.close(held)


def _held_folder() -> tuple[tempfile.TemporaryDirectory[str], int]:
    remove_left_behind(Path(tempfile.gettempdir()), _FOLDERS)
    while True:
        folder = tempfile.TemporaryDirectory(prefix=_PREFIX)
        try:
            descriptor = os.open(folder.name, os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue  # another process took it for one that is left behind
        if hold(descriptor):
            return folder, descriptor
        os.close(descriptor)


def is_full(folder: Path) -> bool:
    """Return whether next to nothing more can be written to a folder."""
    found = os.statvfs(folder)
    no_files = found.f_files > 0 and found.f_favail < _FEW
    return found.f_bavail * found.f_frsize < _FULL or no_files


def is_no_room(error: BaseException) -> bool:
    """Return whether an error, or one that caused it, says that a disk is full."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _NO_ROOM:
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def no_space(folder: Path) -> str:
    """Return the words for a full temporary folder."""
    return f"no space is left in the temporary folder {folder.parent}: {_HINT}"
