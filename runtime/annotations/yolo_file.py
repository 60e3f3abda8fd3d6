"""YOLO's list of classes and splits: ``data.yaml``, or ``classes.txt``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, MissingDriverError
from edgeseg.devices.plain_text import one_line
from edgeseg.runtime.annotations.colours import read_table
from edgeseg.runtime.annotations.splits import WHOLE, safe_name

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json, JsonValue

_YAML = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_TEXT = "classes.txt"
_SPLITS = ("train", "val", "test")
_MOST = 1000  # classes in a message's file; masks hold fewer


@dataclass(frozen=True)
class YoloFile:
    """What the file says.

    Parameters
    ----------
    path : Path
        The file.
    names : tuple of str
        One a class number.
    splits : dict of str to Path
        The folder of pictures, or the list of them, of each split that is there.
    """

    path: Path
    names: tuple[str, ...]
    splits: dict[str, Path]

    @classmethod
    def read(cls, root: Path, split: str) -> YoloFile:
        """Read the file of a data set.

        Raises
        ------
        InputError
            There is none, or it is malformed.
        MissingDriverError
            PyYAML is not installed.
        """
        path = find_yolo_file(root)
        if path is None:
            raise InputError(
                f"no split {split!r} in {root}: expected {root / _YAML[0]}; "
                "lists there: none"
            )
        if path.name == _TEXT:
            names = [line.strip() for line in read_table(path).splitlines()]
            listed = tuple(name for name in names if name)
            return cls(path, listed, _usual_splits(root))
        content = _read_yaml(path)
        named = _named_splits(root, content, path)
        return cls(path, _names(content, path), named or _usual_splits(root))

    def listed(self, place: Path) -> list[Path]:
        """Return the pictures that a text file of a split lists."""
        lines = [line.strip() for line in read_table(place).splitlines()]
        found = []
        for number, line in enumerate(lines, 1):
            if line:
                name = safe_name(line, f"{place}, line {number}")
                found.append(_below(self.path.parent, name))
        return found


def find_yolo_file(root: Path) -> Path | None:
    """Return the file that lists classes; None where the folder is no such data set."""
    found = next((root / name for name in _YAML if (root / name).is_file()), None)
    if found is None and (root / _TEXT).is_file():
        folders = all((root / name).is_dir() for name in ("images", "labels"))
        return root / _TEXT if folders else None
    return found


def _read_yaml(path: Path) -> Json:
    try:
        import yaml
    except ImportError as error:
        raise MissingDriverError(
            f"{path} needs PyYAML, which is not installed: pip install "
            "'edgeseg[datasets]'"
        ) from error
    try:
        content = yaml.safe_load(read_table(path))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"cannot read {path}: {one_line(error)}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected names, train and val, got something else")
    return content


def _names(content: Json, path: Path) -> tuple[str, ...]:
    """Return the names: a list, or numbers with names."""
    names: JsonValue = content.get("names")
    if isinstance(names, dict):
        numbers = list(range(len(names)))
        found = [names.get(n, names.get(str(n))) for n in numbers]
    else:
        found = names if isinstance(names, list) else []
    if not 0 < len(found) <= _MOST or not all(
        isinstance(name, str | int) and str(name).strip() for name in found
    ):
        raise InputError(
            f"{path}: expected 'names' to be a list of class names, or numbers from 0 "
            "with names"
        )
    return tuple(str(name) for name in found)


def _named_splits(root: Path, content: Json, path: Path) -> dict[str, Path]:
    """Return the splits that the file names and that are there."""
    found = {}
    for split in _SPLITS:
        value: JsonValue = content.get(split)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, list):
            raise InputError(
                f"{path}: expected {split!r} to be one folder, got several"
            )
        if isinstance(value, str) and value.strip():
            place = _below(root, value, str(content.get("path") or ""))
            if place.exists() and root in place.parents:
                found[split] = place
    return found


def _below(root: Path, text: str, base: str = "") -> Path:
    """Return a path below the root, whatever machine it was written on.

    Exports name folders of the machine that trained (``path: /content/data``) or start
    one folder too high (``../train/images``): the longest end of the path that is there
    counts.
    """
    parts = [p for p in text.replace("\\", "/").split("/") if p not in ("", ".", "..")]
    folders = [
        p for p in base.replace("\\", "/").split("/") if p not in ("", ".", "..")
    ]
    for whole in ([*folders, *parts], parts):
        for start in range(len(whole)):
            place = root.joinpath(*whole[start:])
            if place.exists():
                return place
    return root.joinpath(*parts)


def _usual_splits(root: Path) -> dict[str, Path]:
    """Return the folders of pictures where the file names none."""
    found = {}
    for split in (*_SPLITS, "valid"):
        for place in (root / "images" / split, root / split / "images"):
            if place.is_dir():
                found[split] = place
    return found or ({WHOLE: root / "images"} if (root / "images").is_dir() else {})
