"""One training a folder at a time."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock file for a with-block; it goes with the process, even by a kill.

    Parameters
    ----------
    path : Path
        The lock file; its folder is made.

    Raises
    ------
    OutputError
        Another process holds it, or it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("wb")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"{path.parent.parent} is in use: another training writes there; wait "
                "for it, or name another -o"
            ) from error
        except OSError:
            pass  # a file system without locks
        yield
