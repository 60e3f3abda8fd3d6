"""What is done to an installed model, step by step, so that a power cut loses nothing.

One JSON object a line; each is on the disk before the next step begins. The last one
says how far it came. A line that a power cut tore is no line yet.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from edgeseg.runtime.installation import durable
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.pictures.atomic import append_whole

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json

# of an installation, in their order; a rollback begins with `SWITCHING`
BEGUN, STORED, TRIED = "begun", "stored", "tried"
SWITCHING, SWITCHED, RESTARTED, HEALTHY = (
    "switching",
    "switched",
    "restarted",
    "healthy",
)
KEPT, REFUSED, WENT_BACK = "kept", "refused", "went back"
_ENDS = frozenset({KEPT, REFUSED, WENT_BACK})
# while these are the last, a link may lead to a model that nobody has confirmed
_OPEN = frozenset({SWITCHING, SWITCHED, RESTARTED, HEALTHY})
_MOST, _STAY = 400, 200  # lines


class Journal:
    """The journal of one name, for one installation or rollback.

    Parameters
    ----------
    path : Path
        Of the file; made where there is none.
    about : dict
        What every line says: ``what`` is done, ``to`` and ``from`` which version.
    """

    def __init__(self, path: Path, about: Json) -> None:
        self._path, self.about = path, about
        self._is_whole = False

    def step(self, name: str, **values: object) -> None:
        """Add a line; it is on the disk when this returns.

        Raises
        ------
        OSError
            It cannot be written; the file is as it was.
        """
        if not self._is_whole:
            _drop_torn_line(self._path)
            self._is_whole = True
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        line = json_text({"step": name, "at": now, **self.about, **values}) + "\n"
        is_new = not self._path.exists()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o666)
        try:
            append_whole(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            durable.sync(self._path.parent)

    def shorten(self) -> None:
        """Drop the oldest lines of a long journal."""
        lines = self._path.read_bytes().splitlines(keepends=True)
        if len(lines) > _MOST:
            durable.write(self._path, b"".join(lines[-_STAY:]))


def read_steps(path: Path) -> list[Json]:
    """Return the lines of a journal; none where there is none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    whole = content[: content.rfind(b"\n") + 1].splitlines()
    return [values for line in whole if (values := _parsed(line)) is not None]


def is_unfinished(step: Json | None) -> bool:
    """Return whether a journal's last step is not the end of what was begun."""
    return step is not None and step["step"] not in _ENDS


def valid_version(step: Json | None) -> str | None:
    """Return which version counts after an interruption between two versions.

    None where nothing was interrupted there: then the link says it. An update that
    nobody has confirmed is undone, a rollback and a first installation are completed.
    """
    if step is None or step["step"] not in _OPEN:
        return None
    before, to = step.get("from"), step.get("to")
    found = before if step.get("what") == "install" and before else to
    return found if isinstance(found, str) else None


def _drop_torn_line(path: Path) -> None:
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)


def _parsed(line: bytes) -> Json | None:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    good = isinstance(values, dict) and isinstance(values.get("step"), str)
    return values if good else None
