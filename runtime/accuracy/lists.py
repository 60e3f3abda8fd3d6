"""A data set's text files: lists of picture names and of class names, one a line."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_files import check_file_or_folder
from edgeseg.runtime.model.labels import load_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def read_list(path: Path) -> tuple[str, ...]:
    """Return the names in a list, in its order.

    Parameters
    ----------
    path : Path
        A text file; blank lines are left out.

    Raises
    ------
    InputError
        It cannot be read, is empty, names a picture twice or one outside the folder.
    """
    check_file_or_folder(path)
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the list {path}: {error}") from error
    names = tuple(line.strip() for line in lines if line.strip())
    if not names:
        raise InputError(f"{path} lists no pictures: expected one name a line")
    for name in names:
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts or "\0" in name:
            raise InputError(
                f"{path}: expected names of pictures in the data set, got {name!r}"
            )
    check_unique(names, str(path))
    return names


def check_unique(names: Sequence[str], where: str) -> None:
    """Raise `InputError` where a name occurs twice."""
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise InputError(
            f"{where}: expected every picture once, got twice: {', '.join(twice[:4])}"
        )


def no_split(root: Path, split: str, expected: str, known: Iterable[str]) -> InputError:
    """Return the error of a split that is not there.

    Parameters
    ----------
    root : Path
        The data set's folder.
    split : str
        Its name.
    expected : str
        Where it was looked for.
    known : iterable of str
        The splits that are there.
    """
    listed = ", ".join(sorted(set(known))) or "none"
    return InputError(
        f"no split {split!r} in {root}: expected {expected}; lists there: {listed}"
    )


def folders_of(*parents: Path) -> tuple[str, ...]:
    """Return the names of the folders that all parents have, sorted."""
    found = [
        {path.name for path in parent.glob("*") if path.is_dir()} for parent in parents
    ]
    return tuple(sorted(set.intersection(*found)))


def text_lists(*folders: Path) -> list[str]:
    """Return the names of the lists in some folders, label lists left out."""
    found = [path for folder in folders for path in folder.glob("*.txt")]
    return [path.stem for path in found if path.stem != "labels" and path.is_file()]


def truth_labels(
    root: Path, chosen: str | None, default: str | None
) -> tuple[str, ...]:
    """Return what the user chose, else the folder's ``labels.txt``, else a default.

    Parameters
    ----------
    root : Path
        The data set's folder.
    chosen, default : str or None
        A name or file; see `load_labels`.

    Raises
    ------
    InputError
        There is nothing to choose, or it cannot be read.
    """
    own = root / "labels.txt"
    text = chosen or (str(own) if own.is_file() else default)
    if text is None:
        raise InputError(
            f"no class names in {root}: expected {own} with one name a line, in the "
            "order of the masks' ids"
        )
    return load_labels(text).labels
