"""All pictures of a folder, with its sub-folders, or of a glob pattern."""

from __future__ import annotations

import glob
import logging
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.address import ALL_PICTURES, FOLDER, PATTERN, AddressKind, Rest
from edgeseg.runtime.capture.source import AS_IT_COMES, Capture, CaptureOptions, Source
from edgeseg.runtime.capture.upright import rotated
from edgeseg.runtime.pictures.files import read_picture, readable_suffixes
from edgeseg.runtime.pictures.formats import FURTHER_SUFFIXES, advice_for, left_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import PurePath

_log = logging.getLogger(__name__)


class FolderSource(Source):
    """Pictures in order of their path; unreadable ones are skipped: see `failures`.

    Pictures of a format that this machine does not read are counted in the log.

    Parameters
    ----------
    text : str
        A folder, or a pattern such as ``photos/**/*.jpg``. Hidden files are left out.
    options : CaptureOptions
        Gives the rotation.

    Raises
    ------
    InputError
        There is no such folder, or no picture in it.
    """

    def __init__(self, text: str, options: CaptureOptions = AS_IT_COMES) -> None:
        self._rotate = options.rotate
        root = Path(text)
        pattern = not root.is_dir()
        if pattern:
            found = [Path(name) for name in glob.glob(text, recursive=True)]
            root = Path(glob_root(text))
        else:
            found = list(root.rglob("*"))
        suffixes = readable_suffixes()
        pictures = sorted(p for p in found if _is_picture(p, root, suffixes))
        others = left_out(p for p in found if _is_picture(p, root, FURTHER_SUFFIXES))
        if not pictures:
            more = f", got {others}: {advice_for(others)}" if others else ""
            raise InputError(
                f"no pictures in {text}: expected files that end in "
                f"{', '.join(sorted(suffixes))}{more}"
            )
        if others:
            _log.warning("%s: left out are %s: %s", text, others, advice_for(others))
        names = names_below([picture.relative_to(root) for picture in pictures])
        self._pictures = dict(zip(names, pictures, strict=True))
        self._failures: list[str] = []

    @property
    def count(self) -> int:
        """Number of picture files."""
        return len(self._pictures)

    @property
    def fps(self) -> None:
        """None: still pictures."""
        return None

    @property
    def failures(self) -> tuple[str, ...]:
        """One line for each picture that could not be read."""
        return tuple(self._failures)

    def names(self) -> tuple[str, ...]:
        """Return the paths below the folder, without suffix."""
        return tuple(self._pictures)

    @property
    def files(self) -> tuple[Path, ...]:
        """The pictures."""
        return tuple(self._pictures.values())

    def captures(self, skip: frozenset[str] = frozenset()) -> Iterator[Capture]:
        """Give the pictures that can be read."""
        for name, path in self._pictures.items():
            if name in skip:
                continue
            try:
                frame = rotated(read_picture(path), self._rotate)
            except InputError as error:
                self._failures.append(str(error))
                continue
            yield Capture(frame, name, 0.0)


def glob_root(pattern: str) -> str:
    """Return the folder before the first wildcard of a pattern.

    Examples
    --------
    >>> glob_root("photos/2024/**/*.jpg")
    'photos/2024'
    """
    fixed: list[str] = []
    for part in Path(pattern).parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return str(Path(*fixed)) if fixed else "."


def _is_picture(path: Path, root: Path, suffixes: frozenset[str]) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return path.suffix.lower() in suffixes and not hidden and path.is_file()


def names_below(relative: Sequence[PurePath]) -> list[str]:
    """Name files by path without suffix; with it where two would be alike.

    Parameters
    ----------
    relative : sequence of PurePath
        Paths below the folder that they were found in.

    Examples
    --------
    >>> from pathlib import PurePath
    >>> names_below([PurePath("a/b.jpg"), PurePath("c.jpg"), PurePath("c.png")])
    ['a/b', 'c_jpg', 'c_png']
    """
    stems = [path.with_suffix("").as_posix() for path in relative]
    often = Counter(stems)
    named = [
        stem if often[stem] == 1 else path.as_posix().replace(".", "_")
        for stem, path in zip(stems, relative, strict=True)
    ]
    if len(set(named)) < len(named):  # a.jpg, a.png and a_jpg.png in one folder
        return [path.as_posix() for path in relative]
    return named


ADDRESS = AddressKind(Rest.PATTERN, bare=(FOLDER, PATTERN), inside=ALL_PICTURES)
PLUGIN = FolderSource
