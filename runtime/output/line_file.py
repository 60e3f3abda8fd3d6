"""A file or stream that gets whole lines or nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_files import kind_of, open_for_writing
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.address import STDOUT
from edgeseg.runtime.pictures.atomic import append_whole, check_writable, replacing

if TYPE_CHECKING:
    from collections.abc import Callable


class LineFile(Closing):
    """Lines, each written at once, so that they can be followed while they come.

    A file is there from its first line on: until then, whatever had its name is as it
    was. A line of which a full disk takes only a part is cut off again.

    Parameters
    ----------
    path : Path
        Of the file; ``-`` is standard output. A named pipe or a device is written to as
        it is.
    append : bool
        Add to what is there.

    Raises
    ------
    OutputError
        It cannot be written, or is a named pipe that nobody reads.
    """

    def __init__(self, path: Path, *, append: bool = False) -> None:
        self._path, self._append = path, append
        self._descriptor = -1
        self._write: Callable[[bytes], object] = self._write_first
        if str(path) == STDOUT:
            self._write = _to_stdout
        elif kind_of(path) in (None, "file"):
            check_writable(path)
        else:
            self._open(path)

    def write(self, line: str) -> None:
        """Add one line.

        Parameters
        ----------
        line : str
            With its end.
        """
        self.check()
        try:
            self._write(line.encode())
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(
                f"cannot write {self._path}: {reason_of(error)}"
            ) from error

    def check(self) -> None:
        """Raise `OutputError` if the file was removed since its first line."""
        if self._descriptor >= 0 and os.fstat(self._descriptor).st_nlink == 0:
            self._forget()
            raise OutputError(f"{self._path} was removed while it was written")

    def close(self) -> None:
        """Close the file; raise `OutputError` if it was removed."""
        try:
            self.check()
        finally:
            self._forget()

    def _open(self, path: Path) -> None:
        try:
            self._descriptor = open_for_writing(path)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {reason_of(error)}") from error
        self._write = self._append_line

    def _write_first(self, data: bytes) -> None:
        if self._append:
            self._open(self._path)
            self._append_line(data)
            return
        place = self._path
        if place.is_symlink():  # it stays one
            place = Path(os.path.realpath(place))
        with replacing(place) as temporary:
            self._open(temporary)
            try:
                self._append_line(data)
            except BaseException:
                self._forget()
                self._write = self._write_first
                raise

    def _append_line(self, data: bytes) -> None:
        append_whole(self._descriptor, data)

    def _forget(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _to_stdout(data: bytes) -> None:
    sys.stdout.flush()
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):  # a stream of another program, not the system's
        sys.stdout.write(data.decode())
        sys.stdout.flush()
    else:
        append_whole(descriptor, data)
