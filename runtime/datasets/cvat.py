"""CVAT's "Segmentation mask" layout: masks in colour and a labelmap.txt.

``labelmap.txt`` has a line ``label:red,green,blue:parts:actions`` for every label, and
``ImageSets/Segmentation/SPLIT.txt`` lists the pictures, ``default.txt`` where CVAT
knows no split. Class ids follow the lines, background first. A line without a colour
has that of PASCAL VOC's colour map, as Datumaro reads it.

References
----------
https://docs.cvat.ai/docs/dataset_management/formats/format-smask/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.lists import read_list, text_lists
from edgeseg.runtime.annotations.classes import Classes, named
from edgeseg.runtime.annotations.colours import colour_of, ids_of_colours, read_table
from edgeseg.runtime.annotations.drawn import DrawnDataset
from edgeseg.runtime.annotations.splits import choose_split, pictures_in
from edgeseg.runtime.model.labels import VOID, voc_palette

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.model.labels import Colour

LABELMAP = "labelmap.txt"
_LISTS = "ImageSets/Segmentation"
_BLACK = (0, 0, 0)  # what no object is painted on
_IGNORED = (224, 224, 192)  # PASCAL VOC's colour for void


class CvatDataset(DrawnDataset):
    """A folder that CVAT exported as "Segmentation mask 1.1".

    Parameters
    ----------
    root : Path
        Holds ``labelmap.txt``, ``SegmentationClass`` and ``ImageSets``, and the
        pictures in ``JPEGImages`` ("save images") or ``images``.
    split : str
        A list in ``ImageSets/Segmentation``; ``default`` is found by any name where
        it is the only one.
    labels : str or None
        Replaces the labels' names.

    Raises
    ------
    InputError
        A list or the label map is missing or malformed.
    """

    LAYOUT = "SegmentationClass/, labelmap.txt and ImageSets/ (CVAT segmentation mask)"

    def __init__(self, root: Path, split: str, labels: str | None = None) -> None:
        lists = {name: root / _LISTS / f"{name}.txt" for name in self.splits(root)}
        expected = str(root / _LISTS / f"{split}.txt")
        self._ids = read_list(choose_split(root, split, lists, expected)[1])
        self._root = root
        folder = root / "JPEGImages"
        self._folder = folder if folder.is_dir() else root / "images"
        self._pictures = pictures_in(self._folder)
        colours = _read_labelmap(root / LABELMAP)
        classes = Classes.of(colours, root / LABELMAP)
        self._labels = named(classes.labels, labels)
        self._by_colour = {_IGNORED: VOID, _BLACK: 0} | {
            colour: classes.ids[name] for name, colour in colours.items()
        }

    @classmethod
    def recognizes(cls, root: Path) -> bool:
        """Return whether the label map and the masks are there."""
        return (root / LABELMAP).is_file() and (root / "SegmentationClass").is_dir()

    @classmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        """Return the names of the lists."""
        return tuple(sorted(text_lists(root / _LISTS)))

    def picture_path(self, name: str) -> Path:
        """Return the picture of that stem."""
        if "/" in name:
            folder, _, stem = name.rpartition("/")
            return pictures_in(self._folder / folder).get(
                stem, self._folder / f"{name}.jpg"
            )
        return self._pictures.get(name, self._folder / f"{name}.jpg")

    def truth_path(self, name: str) -> Path:
        """Return ``SegmentationClass/NAME.png``."""
        return self._root / "SegmentationClass" / f"{name}.png"

    def draw(self, name: str) -> NDArray[np.uint8]:
        """Return a picture's class ids; see `DrawnDataset.draw`."""
        return ids_of_colours(self.truth_path(name), self._by_colour)


def _read_labelmap(path: Path) -> dict[str, Colour]:
    """Return the colour of each label, in the order of the lines."""
    found: dict[str, Colour] = {}
    for number, line in enumerate(read_table(path).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{path}, line {number}"
        name, *rest = line.rsplit(":", 3)
        if len(rest) != 3 or not name.strip():
            raise InputError(
                f"{where}: expected label:red,green,blue:parts:actions, got {line!r}"
            )
        written = rest[0].split(",") if rest[0].strip() else None
        colour = (
            colour_of(written, where) if written else voc_palette()[len(found) % 256]
        )
        if name in found or colour in found.values():
            raise InputError(
                f"{where}: a label or colour that was there before: {line!r}"
            )
        found[name] = colour
    return found


PLUGIN = CvatDataset
