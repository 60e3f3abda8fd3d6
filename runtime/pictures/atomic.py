"""Write to a temporary name, then rename: an output is whole or not there.

A kill leaves a temporary file behind. The next process that writes into that folder
removes it.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError
from edgeseg.devices.plain_files import kind_of
from edgeseg.devices.plain_text import encodable, reason_of
from edgeseg.runtime.pictures.left_behind import hold, remove_left_behind

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = ".edgeseg-"
# as `tempfile` makes them, with the suffix of the file that is written
_TEMPORARY = re.compile(rf"{re.escape(_PREFIX)}[a-z0-9_]{{8}}(\.[^.]*)?")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place at the end.

    After an exception the temporary file is removed, and the folders that were made
    for it, and `path` is as it was.

    Parameters
    ----------
    path : Path
        The final name; missing parent folders are made.

    Raises
    ------
    OutputError
        The folder or file cannot be written.
    """
    temporary, held = None, -1
    made: list[Path] = []
    try:
        _check_replaceable(path)
        made = make_folder(path.parent)
        held, temporary = temporary_file(path.parent, path.suffix)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        made = []
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {reason_of(error)}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):  # its folder may have been removed
                temporary.unlink(missing_ok=True)
            os.close(held)
        remove_empty(made)


def temporary_file(folder: Path, suffix: str = "") -> tuple[int, Path]:
    """Make a temporary file, after removing those that killed processes have left.

    Returns
    -------
    int, Path
        A descriptor to keep open for as long as the file has this name, and the name.

    Raises
    ------
    OSError
        It cannot be made.
    """
    _clean(folder.absolute())
    while True:
        descriptor, name = tempfile.mkstemp(prefix=_PREFIX, suffix=suffix, dir=folder)
        if hold(descriptor):
            return descriptor, Path(name)
        os.close(descriptor)  # another process took it for one that is left behind


@lru_cache(maxsize=1024)
def _clean(folder: Path) -> None:
    """Remove what killed processes have left in a folder; looks there only once."""
    remove_left_behind(folder, _TEMPORARY)


def clean_tree(root: Path) -> None:
    """Remove what killed processes have left in a folder and in those below it."""
    for folder, _, _ in os.walk(root):
        remove_left_behind(Path(folder), _TEMPORARY)


def make_folder(folder: Path) -> list[Path]:
    """Make a folder with its parents, and return those that were not there."""
    missing = [folder, *folder.parents]
    missing = [each for each in missing if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def remove_empty(folders: list[Path]) -> None:
    """Remove folders, the innermost first, as far as they are empty."""
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()


def append_whole(descriptor: int, data: bytes) -> None:
    """Write all bytes at the end of a file, or none of them.

    Where only a part can be written, as on a full disk, that part is cut off again if
    the descriptor is a regular file's: what follows is never joined to half a line.

    Raises
    ------
    OSError
        Not all could be written.
    """
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        done = len(data) - len(left)
        found = os.fstat(descriptor)
        if done and stat.S_ISREG(found.st_mode):
            os.ftruncate(descriptor, max(found.st_size - done, 0))
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file atomically; see `replacing`."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write a whole text file in UTF-8; see `replacing` and `encodable`."""
    write_bytes(path, encodable(text).encode())


def check_writable(path: Path) -> None:
    """Raise `OutputError` early where `path` cannot be written later.

    Nothing is left behind: a missing folder is not made, its nearest parent that is
    there must be a folder that can be written to.
    """
    _check_replaceable(path)
    folder = path.absolute().parent
    try:
        while not folder.exists():
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"cannot write {path}: {reason_of(error)}") from error


def _check_replaceable(path: Path) -> None:
    """Raise `OutputError` where something other than a file has the name.

    A rename would put a file in the place of a device or of a named pipe.
    """
    kind = kind_of(path)
    if kind not in (None, "file"):
        raise OutputError(f"cannot write {path}: a {kind} of that name is there")
    if path.is_symlink() and os.readlink(path).startswith("/proc/"):
        raise OutputError(f"cannot write {path}: expected the name of a file")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
