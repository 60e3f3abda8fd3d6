"""File names with dates: ``door-%Y%m%d-%H%M%S.mkv``, and which files have such a name.

References
----------
strftime(3). Codes that give a ``/`` or a text of several words are left out.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = r"[^\W\d_]+\.?"
_CODES = {
    "Y": r"\d{4,}",
    "y": r"\d\d",
    "m": r"(?:0[1-9]|1[0-2])",
    "d": r"(?:0[1-9]|[12]\d|3[01])",
    "H": r"(?:[01]\d|2[0-3])",
    "I": r"(?:0[1-9]|1[0-2])",
    "M": r"[0-5]\d",
    "S": r"[0-6]\d",
    "j": r"[0-3]\d\d",
    "U": r"[0-5]\d",
    "W": r"[0-5]\d",
    "V": r"[0-5]\d",
    "G": r"\d{4,}",
    "u": r"[1-7]",
    "w": r"[0-6]",
    "s": r"\d+",
    "z": r"[+-]\d{4,6}",
    **dict.fromkeys("aAbBp", _WORD),
}
_CODE = re.compile(r"%(.?)", re.DOTALL)
PART, UNFINISHED = ".part", ".unfinished"
# what may stand between stem and suffix: of names that were taken, and of pieces that
# a kill cut short
_TAIL = rf"(?:\{UNFINISHED}-\d+)?(?:-\d+)?"


class DatedName:
    """A file name in which codes of strftime stand for the time, ``%%`` for ``%``.

    Times are local. A name that is taken gets a number: ``door-2.mkv``.

    Parameters
    ----------
    text : str
        The name, with folders, which may have codes as well.

    Raises
    ------
    InputError
        There is a code in it that is not known.

    Examples
    --------
    >>> name = DatedName("there/100%%/%Y/door-%H%M%S.mkv")
    >>> str(name.folder), name.is_dated
    ('there/100%', True)
    >>> name.matches(Path("there/100%/2026/door-235959-2.mkv"))
    True
    >>> name.matches(Path("there/100%/2026/door-245959.mkv"))
    False
    """

    def __init__(self, text: str) -> None:
        for code in _CODE.findall(text):
            if code not in _CODES and code != "%":
                raise InputError(
                    f"{text}: unknown date code %{code}; known: "
                    f"{' '.join(f'%{each}' for each in _CODES)}, and %% for a per cent "
                    "sign"
                )
        self.text = text
        self._parts = Path(text).parts
        fixed = 0
        while fixed < len(self._parts) - 1 and not _has_code(self._parts[fixed]):
            fixed += 1
        self.folder = Path(*map(literal, self._parts[:fixed]))
        self._below = self._parts[fixed:-1]
        last = Path(self._parts[-1] if self._parts else "")
        self.suffix = last.suffix
        self._file = re.compile(f"{_regex(last.stem)}{_TAIL}{_regex(self.suffix)}")
        self._part = re.compile(
            f"{_regex(last.stem)}(?:-\\d+)?\\{PART}{_regex(self.suffix)}"
        )
        self._folders = [re.compile(_regex(part)) for part in self._below]

    @property
    def is_dated(self) -> bool:
        """Whether there is a code in it."""
        return _has_code(self.text)

    def at(self, clock_s: float) -> Path:
        """Return the name at a time, in seconds since 1970."""
        local = time.localtime(clock_s)
        parts = [
            _CODE.sub(lambda m: _text_of(m[1], local), part) for part in self._parts
        ]
        return Path(*parts)

    def free_at(self, clock_s: float) -> Path:
        """Return the name at a time, with a number where such files are there."""
        path = self.at(clock_s)
        stem, suffix = re.escape(path.stem), re.escape(path.suffix)
        taken = re.compile(
            rf"{stem}(?:\{UNFINISHED}-\d+)?(?:-(\d+))?(?:\{PART})?{suffix}"
        )
        highest = 0
        with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
            for entry in entries:
                if found := taken.fullmatch(entry.name):
                    highest = max(highest, int(found[1] or 1))
        return path.with_stem(f"{path.stem}-{highest + 1}") if highest else path

    def matches(self, path: Path) -> bool:
        """Return whether a finished file has such a name."""
        parts = path.parts
        above = len(self.folder.parts)
        below = parts[above:-1]
        return (
            parts[:above] == self.folder.parts
            and len(below) == len(self._folders)
            and all(p.fullmatch(n) for p, n in zip(self._folders, below, strict=True))
            and self._file.fullmatch(parts[-1]) is not None
        )

    def files(self) -> list[tuple[Path, os.stat_result]]:
        """Return this user's finished files of such names, the oldest first."""
        found = list(self._found(self._file))
        return sorted(found, key=lambda each: (each[1].st_mtime_ns, each[0]))

    def part_files(self) -> list[Path]:
        """Return this user's files of such names that did not get their own."""
        return sorted(path for path, _ in self._found(self._part))

    def _found(self, names: re.Pattern[str]) -> Iterator[tuple[Path, os.stat_result]]:
        folders = [self.folder]
        for pattern in self._folders:
            folders = [
                each for above in folders for each in _folders_in(above, pattern)
            ]
        for folder in folders:
            with contextlib.suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    if names.fullmatch(entry.name) is None:
                        continue
                    with contextlib.suppress(OSError):
                        status = entry.stat(follow_symlinks=False)
                        own = status.st_uid == os.geteuid()
                        if own and stat.S_ISREG(status.st_mode):
                            yield folder / entry.name, status


def literal(text: str) -> str:
    """Return a text without codes as it reads, ``%%`` being ``%``."""
    return text.replace("%%", "%")


def _has_code(text: str) -> bool:
    return any(code != "%" for code in _CODE.findall(text))


def _text_of(code: str, local: time.struct_time) -> str:
    return "%" if code == "%" else time.strftime(f"%{code}", local)


def _regex(text: str) -> str:
    pieces = _CODE.split(text)
    made = [
        (_CODES.get(piece, "%") if index % 2 else re.escape(piece))
        for index, piece in enumerate(pieces)
    ]
    return "".join(made)


def _folders_in(folder: Path, names: re.Pattern[str]) -> list[Path]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return [
            folder / entry.name
            for entry in entries
            if names.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        ]
    return []
