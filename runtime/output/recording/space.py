"""Room on the disk for recordings: old ones go, and a nearly full disk gets none."""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from typing import TYPE_CHECKING

from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.output.recording.amounts import bytes_text

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from edgeseg.devices.types import Json
    from edgeseg.runtime.output.recording.dated_name import DatedName
    from edgeseg.runtime.output.recording.options import RecordingOptions

_log = logging.getLogger(__name__)
_MOST_FREE, _PART_FREE = 10**9, 0.05  # what stays free unless something else is asked
_MORE = 1.05  # of what stays free has to be there before a recording begins again
_EVERY_S = 1.0


class Space:
    """Removes old files of a name, and says whether there is room for more.

    Only this user's finished files whose name matches are removed, the oldest first,
    and only if the options say how much is kept. A disk with too little free space
    gets room in the same way; where that is not enough, nothing is removed for it.

    Parameters
    ----------
    name : DatedName
        Of the files.
    options : RecordingOptions
        What is kept, and what stays free.
    """

    def __init__(self, name: DatedName, options: RecordingOptions) -> None:
        self._name, self._options = name, options
        self._next_s = 0.0
        self._error: str | None = None
        self._returns = 0
        self._stuck: set[Path] = set()  # files that cannot be removed

    @property
    def state(self) -> Json:
        """``connected``: whether there is room; see `Sink.state`.

        ``disk_full`` says the opposite, and that it is a disk.
        """
        return {
            "connected": self._error is None,
            "reconnects": self._returns,
            "error": self._error,
            "disk_full": self._error is not None,
        }

    def has_room(self, writing: int = 0, *, at_once: bool = False) -> bool:
        """Remove what is not to be kept, and return whether there is room.

        Parameters
        ----------
        writing : int
            Bytes of the file that is being written, which is never removed.
        at_once : bool
            Look now; else at most once in a second.
        """
        now = time.monotonic()
        if now >= self._next_s or at_once:
            self._next_s = now + _EVERY_S
            self._retain(writing)
            self._look()
        return self._error is None

    def is_full(self, reason: str) -> None:
        """Note that something could not be written, until there is room again."""
        self._next_s = time.monotonic() + _EVERY_S
        if self._error is None:
            self._note(f"{reason}: {bytes_text(self._free())} are free")

    def _look(self) -> None:
        wanted = self._wanted()
        if self._error is not None:
            wanted = max(int(wanted * _MORE), 1)
        missing = wanted - self._free()
        if missing > 0 and self._options.keeps:
            files = self._files()
            if sum(status.st_size for _, status in files) >= missing:
                for path, _ in files:
                    self._remove(path)
                    missing = wanted - self._free()
                    if missing <= 0:
                        break
        if missing > 0:
            free = bytes_text(self._free())
            self._note(f"{free} are free, {bytes_text(wanted)} are to stay free")
        elif self._error is not None:
            self._error, self._returns = None, self._returns + 1
            _log.warning("there is room again for %s", self._name.text)

    def _note(self, error: str) -> None:
        if self._error is None:
            _log.warning(
                "the disk is nearly full: %s is not recorded, the run goes on (%s)",
                *(self._name.text, error),
            )
        self._error = error

    def _retain(self, writing: int) -> None:
        options = self._options
        if not options.keeps:
            return
        files = self._files()
        if options.keep_s is not None:
            oldest_s = time.time() - options.keep_s
            old = [each for each in files if each[1].st_mtime < oldest_s]
            for path, _ in old:
                self._remove(path)
            files = files[len(old) :]
        if options.keep_bytes is not None:
            total = writing + sum(status.st_size for _, status in files)
            for path, status in files:
                if total <= options.keep_bytes:
                    break
                self._remove(path)
                total -= status.st_size

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        return [each for each in self._name.files() if each[0] not in self._stuck]

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            self._stuck.add(path)
            _log.warning("cannot remove %s: %s", path, reason_of(error))
            return
        _log.info("removed %s, which is not to be kept", path)
        with contextlib.suppress(OSError):  # folders with dates in their names
            for folder in path.parents:
                if folder == self._name.folder:
                    break
                folder.rmdir()

    def _wanted(self) -> int:
        if self._options.free_bytes is not None:
            return self._options.free_bytes
        total = shutil.disk_usage(self._folder()).total
        return min(_MOST_FREE, int(total * _PART_FREE))

    def _free(self) -> int:
        return shutil.disk_usage(self._folder()).free

    def _folder(self) -> Path:
        folder = self._name.folder.absolute()
        while not folder.is_dir() and folder != folder.parent:
            folder = folder.parent
        return folder
