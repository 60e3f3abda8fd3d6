"""A plain layout: images/, masks/ and labels.txt, masks named like their pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.dataset import Dataset
from edgeseg.runtime.accuracy.lists import (
    no_split,
    read_list,
    text_lists,
    truth_labels,
)
from edgeseg.runtime.annotations.colours import colour_table_in
from edgeseg.runtime.annotations.splits import WHOLE, pictures_in
from edgeseg.runtime.pictures.files import SUFFIXES

if TYPE_CHECKING:
    from pathlib import Path


class FolderDataset(Dataset):
    """Pictures of one's own.

    Parameters
    ----------
    root : Path
        Holds ``images`` (JPEG, PNG, ...), ``masks`` (PNGs of class ids of the same
        stem: palette or 8-bit grey, 255 is void) and ``labels.txt``.
    split : str
        ``SPLIT.txt`` in the root lists stems. A folder without any list has one
        split: all its pictures, by name.
    labels : str or None
        Replaces ``labels.txt``.

    Raises
    ------
    InputError
        There are lists but not this one, there are no pictures or no labels, or two
        pictures have the same stem.
    """

    LAYOUT = "images/, masks/ and labels.txt (plain)"

    def __init__(self, root: Path, split: str, labels: str | None = None) -> None:
        self._root = root
        wanted, folder = root / f"{split}.txt", root / "images"
        self._pictures = pictures_in(folder)
        others = _lists(root, self._pictures)
        if not wanted.is_file() and (others or not folder.is_dir()):
            raise no_split(root, split, f"{wanted}, or no list and {folder}", others)
        self._ids = (
            read_list(wanted) if wanted.is_file() else tuple(sorted(self._pictures))
        )
        if not self._ids:
            raise InputError(
                f"no pictures in {folder}: expected files that end in "
                f"{', '.join(sorted(SUFFIXES))}"
            )
        self._labels = truth_labels(root, labels, None)

    @classmethod
    def recognizes(cls, root: Path) -> bool:
        """Return whether both folders are there, and no table of colours."""
        folders = (root / "images").is_dir() and (root / "masks").is_dir()
        return folders and colour_table_in(root) is None

    @classmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        """Return the names of the lists; ``all`` where there is none."""
        pictures = pictures_in(root / "images")
        lists = sorted(_lists(root, pictures))
        return tuple(lists) or ((WHOLE,) if pictures else ())

    def picture_path(self, name: str) -> Path:
        """Return the picture of that stem in ``images``."""
        return self._pictures.get(name, self._root / "images" / f"{name}.jpg")

    def truth_path(self, name: str) -> Path:
        """Return ``masks/NAME.png``."""
        return self._root / "masks" / f"{name}.png"


def _lists(root: Path, pictures: dict[str, Path]) -> list[str]:
    """Return the names of text files that list pictures, and nothing else."""
    found = []
    for name in text_lists(root):
        lines = (root / f"{name}.txt").read_text("utf-8", "replace").splitlines()
        listed = {line.strip() for line in lines if line.strip()}
        if listed and listed <= pictures.keys():
            found.append(name)
    return found


PLUGIN = FolderDataset
