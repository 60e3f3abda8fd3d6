"""Masks in colour with a table of colours: CamVid's layout and its like.

The table is ``class_dict.csv`` (``name,r,g,b`` below a heading) or a text file such as
``label_colors.txt``, whose lines are ``name r g b`` or ``r g b name``. Class ids follow
the table, background first; ``void`` is left out of every count.

References
----------
http://mi.eng.cam.ac.uk/research/projects/VideoRec/CamVid/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.lists import folders_of, no_split, read_list, text_lists
from edgeseg.runtime.annotations.classes import Classes, named
from edgeseg.runtime.annotations.colours import (
    colour_of,
    colour_table_in,
    ids_of_colours,
    read_table,
)
from edgeseg.runtime.annotations.drawn import DrawnDataset
from edgeseg.runtime.annotations.splits import WHOLE, choose_split, pictures_in

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.model.labels import Colour

_PLAIN = (("images", "masks"), ("images", "labels"), ("images", "annotations"))
_CAMVID = ("701_StillsRaw_full", "LabeledApproved_full")
_ENDINGS = ("", "_L", "_mask", "_label")  # of a mask's name after its picture's


class ColourDataset(DrawnDataset):
    """A folder of pictures and masks in colour.

    Parameters
    ----------
    root : Path
        Holds the table, and ``images`` and ``masks`` with or without a folder a split,
        ``SPLIT`` and ``SPLIT_labels``, or ``SPLIT/images`` and ``SPLIT/masks``.
    split : str
        Such a folder, or ``SPLIT.txt`` with a list of names.
    labels : str or None
        Replaces the classes' names.

    Raises
    ------
    InputError
        The split is missing or empty, or the table is malformed.
    """

    LAYOUT = "images/, masks/ in colour and class_dict.csv (colour masks, CamVid)"

    def __init__(self, root: Path, split: str, labels: str | None = None) -> None:
        table = colour_table_in(root)
        if table is None:
            raise no_split(root, split, "class_dict.csv", ())
        folders = _folders(root)
        wanted = root / f"{split}.txt"
        by_list = wanted.is_file() and WHOLE in folders
        if WHOLE in folders and not by_list and _lists(root, folders):
            raise no_split(root, split, str(wanted), self.splits(root))
        expected = f"{root / 'images' / split}, or {root / split}"
        pair = folders[WHOLE] if by_list else None
        images, self._masks = pair or choose_split(root, split, folders, expected)[1]
        self._images = images
        self._pictures = pictures_in(images)
        self._ids = read_list(wanted) if by_list else tuple(self._pictures)
        if not self._ids:
            raise InputError(f"no pictures in {images}: expected them beside the masks")
        self._ending = self._ending_of(self._ids[0])
        colours = _read_colours(table)
        classes = Classes.of(colours, table)
        self._labels = named(classes.labels, labels)
        self._by_colour = {c: classes.ids[name] for name, c in colours.items()}
        self._table_file = table

    @classmethod
    def recognizes(cls, root: Path) -> bool:
        """Return whether a table of colours and folders of pictures are there."""
        return colour_table_in(root) is not None and bool(_folders(root))

    @classmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        """Return the folders or lists; ``all`` where there is neither."""
        folders = _folders(root)
        return tuple(sorted(_lists(root, folders) or folders))

    def picture_path(self, name: str) -> Path:
        """Return the picture of that stem."""
        return self._pictures.get(name, self._images / f"{name}.png")

    def truth_path(self, name: str) -> Path:
        """Return the mask of that stem."""
        return self._masks / f"{name}{self._ending}.png"

    def other_files(self) -> tuple[Path, ...]:
        """Return the table."""
        return (self._table_file,)

    def draw(self, name: str) -> NDArray[np.uint8]:
        """Return a picture's class ids; see `DrawnDataset.draw`."""
        return ids_of_colours(self.truth_path(name), self._by_colour)

    def _ending_of(self, name: str) -> str:
        for ending in _ENDINGS:
            if (self._masks / f"{name}{ending}.png").is_file():
                return ending
        return ""


def _folders(root: Path) -> dict[str, tuple[Path, Path]]:
    """Return the folders of pictures and of masks of each split."""
    found: dict[str, tuple[Path, Path]] = {}
    for images, masks in (*_PLAIN, _CAMVID):
        pair = root / images, root / masks
        if all(folder.is_dir() for folder in pair):
            inner = {
                name: (pair[0] / name, pair[1] / name) for name in folders_of(*pair)
            }
            return inner or {WHOLE: pair}
    for name in folders_of(root):
        beside = root / name, root / f"{name}_labels"
        inside = [(root / name / a, root / name / b) for a, b in _PLAIN]
        for pair in (beside, *inside):
            if all(folder.is_dir() for folder in pair):
                found.setdefault(name, pair)
    return found


def _lists(root: Path, folders: dict[str, tuple[Path, Path]]) -> list[str]:
    """Return the names of text files that list pictures of an undivided folder."""
    if WHOLE not in folders:
        return []
    known, found = pictures_in(folders[WHOLE][0]).keys(), []
    for name in text_lists(root):
        lines = (root / f"{name}.txt").read_text("utf-8", "replace").splitlines()
        listed = {line.strip() for line in lines if line.strip()}
        if listed and listed <= known:
            found.append(name)
    return found


def _read_colours(path: Path) -> dict[str, Colour]:
    """Return the colour of each class, in the order of the table."""
    found: dict[str, Colour] = {}
    for number, line in enumerate(read_table(path).splitlines(), 1):
        fields = [field for field in re.split(r"[\s,;]+", line.strip()) if field]
        if not fields or line.startswith("#") or _is_heading(fields, number):
            continue
        where = f"{path}, line {number}"
        first = fields[0].isdecimal() and not fields[-1].isdecimal()
        rest, name = (fields[:3], fields[3:]) if first else (fields[-3:], fields[:-3])
        label = " ".join(name)
        colour = colour_of(rest, where) if len(rest) == 3 else None
        if colour is None or not label or label in found or colour in found.values():
            raise InputError(
                f"{where}: expected a class and a colour that were not there before, "
                f"got {line!r}"
            )
        found[label] = colour
    return found


def _is_heading(fields: list[str], number: int) -> bool:
    return number == 1 and not any(field.isdecimal() for field in fields)


PLUGIN = ColourDataset
