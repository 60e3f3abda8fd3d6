"""What a long run has done so far, one JSON object a line, so that it can go on.

The first line says which run it is: everything that its numbers depend on. Each
further line is one picture. Lines are only ever appended; a line that a kill tore is
no line yet, and is dropped when the run goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import IO, TYPE_CHECKING

from edgeseg.devices import InputError, OutputError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_files import kind_of
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.pictures.atomic import append_whole

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json


class Journal(Closing):
    """An open journal; made where there is none.

    Parameters
    ----------
    path : Path
        Of the file.
    run : mapping of str to JSON value
        What the run is: model, data set, options.

    Attributes
    ----------
    rows : tuple of dict
        What was done when the journal was opened, in order.

    Raises
    ------
    InputError
        The file belongs to another run, is damaged, or no journal.
    OutputError
        It cannot be written, or another process is writing it.
    """

    def __init__(self, path: Path, run: Json) -> None:
        self.path = path
        self._file: IO[bytes] | None = _locked(path)
        self._count = -1  # rows; below 0 while it may be somebody else's file
        try:
            whole = _whole_lines(self._file, _line(run))
            self.rows = _read(path, whole, run)
            self._trim(len(whole), run)
            self._count = len(self.rows)
        except BaseException:
            self.close()
            raise

    def append(self, row: Json) -> None:
        """Add one line; it outlives a kill of this process."""
        self._write(row)
        self._count += 1

    def remove(self) -> None:
        """Delete the file: the run is done."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Close the file and leave it where it is, unless nothing was done."""
        if self._file is not None:
            if self._count == 0:
                with contextlib.suppress(OSError):  # its folder may be gone
                    self.path.unlink(missing_ok=True)
            self._file.close()
            self._file = None

    def _trim(self, length: int, run: Json) -> None:
        if self._file is None:
            raise OutputError(f"the journal {self.path} is closed")
        self._file.truncate(length)
        self._file.seek(length)
        if not length:
            self._count = 0
            self._write(run)

    def _write(self, values: Json) -> None:
        if self._file is None:
            raise OutputError(f"the journal {self.path} is closed")
        try:
            append_whole(self._file.fileno(), _line(values))
        except OSError as error:
            raise OutputError(
                f"cannot write {self.path}: {reason_of(error)}"
            ) from error


def _locked(path: Path) -> IO[bytes]:
    import fcntl

    try:
        if kind_of(path) not in (None, "file"):
            raise OutputError(f"it is a {kind_of(path)}, expected a file")
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        file = os.fdopen(os.open(path, flags, 0o666), "r+b")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {reason_of(error)}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise OutputError(
            f"{path} is in use: another run is writing it; wait for it or name another"
        ) from error
    except OSError:
        pass  # a file system without locks
    return file


def _whole_lines(file: IO[bytes], first: bytes) -> bytes:
    """Return a file without a torn last line; a torn first line must be our own."""
    content = file.read()
    if b"\n" not in content and not first.startswith(content):
        return content  # somebody else's file: to be refused, not emptied
    return content[: content.rfind(b"\n") + 1]


def _line(values: Json) -> bytes:
    return json_text(values).encode() + b"\n"


def _read(path: Path, whole: bytes, run: Json) -> tuple[Json, ...]:
    values = [_parsed(path, line) for line in whole.splitlines()]
    if not values:
        return ()
    # through JSON, as the file's own: tuples become lists
    wanted = json.loads(json_text(run))
    differing = sorted(
        key
        for key in wanted.keys() | values[0].keys()
        if values[0].get(key) != wanted.get(key)
    )
    if differing:
        raise InputError(
            f"{path} is the journal of another run (other {', '.join(differing)}): "
            "repeat that run, remove the file, or name another"
        )
    return tuple(values[1:])


def _parsed(path: Path, line: bytes) -> Json:
    with contextlib.suppress(ValueError, RecursionError):
        values = json.loads(line)
        if isinstance(values, dict):
            return values
    raise InputError(
        f"{path} is no journal of a run: expected one JSON object a line, got "
        f"{line[:40]!r}; name another file"
    )
