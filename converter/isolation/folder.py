"""A temporary folder, or one line that says why there is none."""

from __future__ import annotations

import errno
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import EdgesegError, OutputError
from edgeseg.devices.plain_text import reason_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = 1 << 16  # bytes left, below which a file system is taken to be full
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_HINT = "set TMPDIR to a folder with more room"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder of one's own, which is removed at the end.

    Raises
    ------
    OutputError
        None can be made, or it becomes full.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="edgeseg-")
    except OSError as error:
        raise OutputError(
            f"cannot make a temporary folder: {reason_of(error)}; {_HINT}"
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


def is_full(folder: Path) -> bool:
    """Return whether next to nothing more can be written to a folder."""
    return shutil.disk_usage(folder).free < _FULL


def no_space(folder: Path) -> str:
    """Return the words for a full temporary folder."""
    return f"no space is left in the temporary folder {folder.parent}: {_HINT}"
