"""A folder that gets a picture for each frame."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class PictureFolder:
    """The pictures of a run, and whether their folder is still there.

    A folder that is removed is not made again: the pictures in it would be missing, and
    nobody would be told.

    Parameters
    ----------
    path : Path
        Of the folder; it is made with the first picture.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._made: os.stat_result | None = None

    def path_of(self, name: str) -> Path:
        """Return the file of a frame's picture; the name may contain folders."""
        return self._path / f"{name}.png"

    def write(self, name: str, write: Callable[[Path], object]) -> None:
        """Write a frame's picture.

        Parameters
        ----------
        name : str
            Of the frame.
        write : callable
            Called with the file's path; raises `OutputError` where it cannot write.

        Raises
        ------
        OutputError
            It cannot be written, or the folder was removed since the first picture.
        """
        self.check()
        try:
            write(self.path_of(name))
        except OutputError:
            self.check()
            raise
        if self._made is None:
            self._made = self._path.stat()

    def check(self) -> None:
        """Raise `OutputError` if the folder was removed since the first picture."""
        if self._made is None:
            return
        with contextlib.suppress(OSError):
            # another one of that name may have been made by a write that came between
            if os.path.samestat(self._made, self._path.stat()):
                return
        raise OutputError(f"{self._path} was removed while it was written")
