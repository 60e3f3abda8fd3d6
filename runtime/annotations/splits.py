"""Splits of a data set by folder or file name, and names that lead into it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.lists import check_unique, no_split
from edgeseg.runtime.pictures.files import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_T = TypeVar("_T")

# The one split of a data set without splits, whatever name it is asked for by
WHOLE = "all"
_SOLE = (WHOLE, "default")  # what CVAT calls it
_SPELLINGS = (
    ("val", "valid", "validation"),
    ("train", "training"),
    ("test", "testing"),
)


def choose_split(
    root: Path, split: str, found: Mapping[str, _T], expected: str
) -> tuple[str, _T]:
    """Return the split of a name, with its name in the data set.

    Parameters
    ----------
    root : Path
        The data set's folder.
    split : str
        Such as ``val``, which also finds ``valid`` and ``validation``.
    found : mapping of str to object
        The splits that are there.
    expected : str
        What was looked for, for the message.

    Raises
    ------
    InputError
        It is not there. A data set with one split of no name has it by any name.
    """
    same = next((names for names in _SPELLINGS if split in names), (split,))
    for name in (split, *same):
        if name in found:
            return name, found[name]
    if len(found) == 1 and next(iter(found)) in _SOLE:
        return next(iter(found.items()))
    raise no_split(root, split, expected, found)


def usual_name(split: str) -> str:
    """Return ``train``, ``val``, ``test`` or ``all`` for its other spellings.

    Examples
    --------
    >>> usual_name("valid"), usual_name("default"), usual_name("night")
    ('val', 'all', 'night')
    """
    if split in _SOLE:
        return WHOLE
    return next((names[0] for names in _SPELLINGS if split in names), split)


def safe_name(text: str, where: str) -> str:
    r"""Return a path below a data set's folder, with ``/`` between folders.

    Raises
    ------
    InputError
        It is absolute or leads out of the folder.

    Examples
    --------
    >>> safe_name("a\\b.jpg", "here"), safe_name("./c.jpg", "here")
    ('a/b.jpg', 'c.jpg')
    """
    pure = PurePosixPath(text.replace("\\", "/"))
    inside = pure.parts and not pure.is_absolute() and ".." not in pure.parts
    if not inside or "\0" in text or ":" in pure.parts[0]:
        raise InputError(
            f"{where}: expected a picture below the data set's folder, got {text!r}"
        )
    return pure.as_posix()


def stem_of(name: str) -> str:
    """Return a picture's name without its suffix, folders kept.

    Examples
    --------
    >>> stem_of("town/a.b.jpg")
    'town/a.b'
    """
    pure = PurePosixPath(name)
    known = pure.suffix.lower() in SUFFIXES
    return (pure.with_suffix("") if known else pure).as_posix()


def pictures_in(folder: Path) -> dict[str, Path]:
    """Return the pictures directly in a folder by their stem, sorted.

    Raises
    ------
    InputError
        Two of them have the same stem.
    """
    found = sorted(
        path
        for path in folder.glob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )
    check_unique([path.stem for path in found], str(folder))
    return {path.stem: path for path in found}
