"""The small files in which Linux describes a machine, and the user's cache folder.

`root` stands for ``/`` in everything that looks at a machine, so that a board's files
can be looked at elsewhere. A file that is not there is None.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from edgeseg.devices.errors import OutputError

ROOT = Path("/")


def read_text(path: Path) -> str | None:
    """Return a text file's content, None where it cannot be read.

    Examples
    --------
    >>> read_text(Path("/nowhere/at/all")) is None
    True
    """
    try:
        return path.read_text("utf-8", "replace")
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None


def read_words(path: Path) -> str | None:
    """Return a file's content without NUL bytes and white space around it."""
    text = read_text(path)
    return text.strip("\0 \n\t") if text is not None else None


def read_numbers(root: Path, pattern: str) -> list[float]:
    """Return the whole numbers in the files that match, in the order of their names.

    Parameters
    ----------
    root : Path
        Stands for ``/``.
    pattern : str
        Relative glob pattern; files that hold something else are left out.
    """
    found = []
    for path in sorted(root.glob(pattern)):
        if re.fullmatch(r"-?\d+", text := read_words(path) or ""):
            found.append(float(text))
    return found


def cache_folder() -> Path:
    """Return the folder in the user's cache (XDG Base Directory Specification).

    Raises
    ------
    OutputError
        There is no home folder, as of users without a name in some containers.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(cache).expanduser() / "edgeseg"
    except RuntimeError as error:
        raise OutputError(
            "this user has no home folder to keep things in: set XDG_CACHE_HOME"
        ) from error
