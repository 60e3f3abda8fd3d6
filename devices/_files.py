"""Read the small files in which Linux tells about a machine; what is not there is None.

`root` stands for ``/`` in everything that looks at a machine, so that a board's files
can be looked at elsewhere.
"""

from __future__ import annotations

import re
from pathlib import Path

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
    told = read_text(path)
    return told.strip("\0 \n\t") if told is not None else None


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
