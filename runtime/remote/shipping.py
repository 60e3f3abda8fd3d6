"""Copies what a command reads to the board, and says where it is there."""

from __future__ import annotations

import glob
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.remote.copying import Blob, ship_tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeseg.runtime.remote.session import Session

_COMPILED = "_edgetpu"  # in the name of a file that an Edge TPU runs


def ship_model(session: Session, text: str) -> str:
    """Copy a model; the name of the one that ships stays as it is.

    A model that was compiled for an Edge TPU takes the one beside it along that
    ``coral:or-cpu`` falls back to.

    Raises
    ------
    InputError
        There is no such file.
    """
    from edgeseg.runtime.shipped import MODEL_NAME

    path = Path(text)
    if text == MODEL_NAME and not path.exists():
        return text
    if not path.is_file():
        raise InputError(f"no such model file: {text}")
    beside = path.with_name(path.name.replace(_COMPILED, ""))
    return _ship(session, [path, beside] if beside.is_file() else [path], path)


def ship_path(session: Session, text: str) -> str:
    """Copy a file or a folder with all that is in it; other text stays as it is."""
    path = Path(text)
    if not path.exists():
        return text
    return _ship(session, [path] if path.is_file() else _files(path), path)


def ship_source(session: Session, text: str) -> str:
    """Copy pictures or a video; a camera or stream is the board's own.

    Raises
    ------
    InputError
        It is neither a file here nor a source there.
    """
    from edgeseg.runtime.sources import SOURCES

    path, name = Path(text), text.partition(":")[0]
    if path.is_dir():
        return _ship(session, _pictures(path), path)
    if path.is_file():
        return _ship(session, [path], path)
    if name == "pan":
        return f"pan:{ship_source(session, text.partition(':')[2])}"
    if "://" in text or name in SOURCES.names():
        return text
    found = [Path(match) for match in glob.glob(text, recursive=True)]
    files = sorted(match for match in found if match.is_file())
    if not files:
        raise InputError(f"no such file or folder here, and no source there: {text}")
    return _ship(session, files, _common(files))


def ship_dataset(session: Session, text: str, split: str, labels: str | None) -> str:
    """Copy the pictures and masks of a split, and the lists of a data set.

    Raises
    ------
    InputError
        It is no data set, or has no such split; see `open_dataset`.
    """
    from edgeseg.runtime.datasets import open_dataset

    root = Path(text)
    dataset = open_dataset(root, split, labels=labels)
    files = [dataset.picture_path(name) for name in dataset.ids]
    files += [dataset.mask_path(name) for name in dataset.ids]
    files += [*root.glob("*.txt"), *root.glob("ImageSets/Segmentation/*.txt")]
    return _ship(session, files, root)


def _ship(session: Session, files: Iterable[Path], top: Path) -> str:
    """Copy files below `top`, or `top` itself and its neighbours; return its place."""
    name = top.absolute().name or "files"
    if top.is_dir():
        named = {str(PurePosixPath(name, p.relative_to(top))): p for p in files}
    else:
        named = {path.name: path for path in files}
    folder = ship_tree(session, {key: Blob.of(path) for key, path in named.items()})
    return f"{folder}/{name}"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _pictures(folder: Path) -> list[Path]:
    from edgeseg.runtime.pictures import SUFFIXES

    found = [path for path in _files(folder) if path.suffix.lower() in SUFFIXES]
    if not found:
        raise InputError(
            f"no pictures in {folder}: expected files that end in "
            f"{', '.join(sorted(SUFFIXES))}"
        )
    return found


def _common(files: list[Path]) -> Path:
    """Return the nearest folder that all files are in."""
    first = files[0].parent
    return next(
        folder
        for folder in (first, *first.parents)
        if all(path.is_relative_to(folder) for path in files)
    )
