"""Write to a temporary name, then rename: an output is whole or not there."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError
from edgeseg.devices.plain_text import encodable, reason_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place at the end.

    After an exception the temporary file is removed and `path` is as it was.

    Parameters
    ----------
    path : Path
        The final name; missing parent folders are made.

    Raises
    ------
    OutputError
        The folder or file cannot be written.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise OutputError(f"cannot write {path}: a folder of that name is there")
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {reason_of(error)}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


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
    if path.is_dir():
        raise OutputError(f"cannot write {path}: a folder of that name is there")
    folder = path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"cannot write {path}: {reason_of(error)}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
