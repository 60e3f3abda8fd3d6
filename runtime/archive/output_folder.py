"""The folder of an archive's results: of one job, and of one process at a time."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, OutputError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_files import kind_of
from edgeseg.devices.plain_text import encodable, reason_of
from edgeseg.runtime.archive.areas_table import FOLDER, AreasTable
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.pictures.atomic import (
    clean_tree,
    make_folder,
    remove_empty,
    write_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.devices.types import Json
    from edgeseg.runtime.archive.work import Unread

JOB_FILE = "archive.json"  # which job it is
MASKS, OVERLAYS = "masks", "overlays"
UNREAD = "unread.jsonl"


class OutputFolder(Closing):
    """An output folder, locked.

    Parameters
    ----------
    path : Path
        Made where there is none.
    job : mapping of str to JSON value
        What results depend on: the model, its manifest, what is written.

    Attributes
    ----------
    key : str
        SHA-256 of the file that says which job it is.
    areas : AreasTable
        The rows.

    Raises
    ------
    InputError
        The folder has the results of another job.
    OutputError
        It cannot be written, or another process is writing it.
    """

    def __init__(self, path: Path, job: Json) -> None:
        self.path = path
        kind = kind_of(path)
        if kind not in (None, "folder"):
            raise OutputError(
                f"cannot write to {path}: expected a folder, got a {kind}"
            )
        file = path / JOB_FILE
        text = json_text(job, indent=2, sort_keys=True) + "\n"
        self._lock, self._file = -1, file
        self._made: list[Path] = []
        self._is_new = False
        try:
            self._made = make_folder(path)
            if not file.exists():
                write_text(file, text)
                self._is_new = True
            self._lock = os.open(file, os.O_RDWR | os.O_CLOEXEC)
            _hold(self._lock, path)
            found = file.read_bytes()
        except OutputError:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise OutputError(f"cannot write to {path}: {reason_of(error)}") from error
        try:
            _check_same(file, found, json.loads(text))
        except BaseException:
            self.close()
            raise
        self.key = hashlib.sha256(found).hexdigest()
        self.areas = AreasTable(path / FOLDER)

    def write_unread(self, unread: Sequence[Unread]) -> None:
        """Write what could not be read, a JSON object a line; no file if that is none.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        path = self.path / UNREAD
        if not unread:
            path.unlink(missing_ok=True)
            return
        lines = [
            {
                "name": encodable(each.name),
                "source": encodable(each.source),
                "reason": encodable(each.reason),
            }
            for each in sorted(unread, key=lambda each: each.name)
        ]
        write_text(path, "".join(f"{json_text(line)}\n" for line in lines))

    def clean(self) -> None:
        """Remove the halves of files that killed processes have left."""
        for folder in (MASKS, OVERLAYS):
            clean_tree(self.path / folder)

    def close(self) -> None:
        """Let others have it; what was made for nothing is removed."""
        if self._lock < 0:
            return
        if self._is_new and os.listdir(self.path) == [self._file.name]:
            self._file.unlink()
            remove_empty(self._made)
        os.close(self._lock)
        self._lock = -1


def _hold(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(
            f"{path} is in use: another run is writing it; wait for it or name another"
        ) from error
    except OSError:
        pass  # a file system without locks


def _check_same(file: Path, found: bytes, job: Json) -> None:
    try:
        other = json.loads(found)
        keys = job.keys() | other.keys()
    except (ValueError, AttributeError) as error:
        raise InputError(
            f"{file} does not say which job it is of: name another folder"
        ) from error
    differing = sorted(key for key in keys if job.get(key) != other.get(key))
    if differing:
        raise InputError(
            f"{file.parent} has the results of another job (other "
            f"{', '.join(differing)}): repeat that job, or name another folder"
        )
