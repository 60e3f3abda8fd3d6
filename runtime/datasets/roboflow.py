"""Roboflow's "Semantic Segmentation Masks": SPLIT/_classes.csv beside the pictures.

``_classes.csv`` gives the name of each pixel value; a mask is ``NAME_mask.png`` beside
``NAME.jpg``. Class ids follow the pixel values.

References
----------
https://roboflow.com/formats/semantic-segmentation-masks
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.dataset import Dataset, stored_as_is
from edgeseg.runtime.annotations.classes import Classes, named
from edgeseg.runtime.annotations.colours import read_table
from edgeseg.runtime.annotations.splits import WHOLE, choose_split, pictures_in

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_CLASSES, _MASK = "_classes.csv", "_mask"


class RoboflowDataset(Dataset):
    """A folder that Roboflow exported as masks.

    Parameters
    ----------
    root : Path
        Holds ``train``, ``valid`` and ``test``, or is one of them.
    split : str
        ``val`` finds ``valid``.
    labels : str or None
        Replaces the classes' names.

    Raises
    ------
    InputError
        The split is missing, is empty, or its list of classes is malformed.
    """

    LAYOUT = "SPLIT/_classes.csv and *_mask.png beside the pictures (Roboflow masks)"

    def __init__(self, root: Path, split: str, labels: str | None = None) -> None:
        expected = str(root / split / _CLASSES)
        _, file = choose_split(root, split, _files(root), expected)
        self._file = file
        self._folder = file.parent
        found = pictures_in(self._folder)
        self._pictures = {n: p for n, p in found.items() if not n.endswith(_MASK)}
        self._ids = tuple(self._pictures)
        if not self._ids:
            raise InputError(f"no pictures in {self._folder}: expected them beside it")
        values = _read_classes(file)
        classes = Classes.of(values.values(), file)
        self._labels = named(classes.labels, labels)
        self._table = stored_as_is(0)
        for value, name in values.items():
            self._table[value] = classes.ids[name]

    @classmethod
    def recognizes(cls, root: Path) -> bool:
        """Return whether there is a list of classes, and masks beside it."""
        return any(any(p.parent.glob(f"*{_MASK}.png")) for p in _files(root).values())

    @classmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        """Return the folders with a list of classes."""
        return tuple(sorted(_files(root)))

    def picture_path(self, name: str) -> Path:
        """Return the picture of that stem."""
        return self._pictures[name]

    def truth_path(self, name: str) -> Path:
        """Return ``NAME_mask.png`` beside the picture."""
        return self._folder / f"{name}{_MASK}.png"

    def other_files(self) -> tuple[Path, ...]:
        """Return the list of classes."""
        return (self._file,)

    def table(self, name: str) -> NDArray[np.int16]:
        """Return the class id of each value of a mask; see `Dataset.table`."""
        return self._table


def _files(root: Path) -> dict[str, Path]:
    if (root / _CLASSES).is_file():
        return {WHOLE: root / _CLASSES}
    return {path.parent.name: path for path in sorted(root.glob(f"*/{_CLASSES}"))}


def _read_classes(path: Path) -> dict[int, str]:
    """Return the name of each pixel value, in order of the values."""
    found: dict[int, str] = {}
    rows = list(csv.reader(read_table(path).splitlines(), skipinitialspace=True))
    for number, row in enumerate(rows[1:], 2):
        if not any(row):
            continue
        value, name = (row[0].strip(), row[1].strip()) if len(row) == 2 else ("", "")
        if not (value.isdecimal() and int(value) < 256 and name) or int(value) in found:
            raise InputError(
                f"{path}, line {number}: expected a pixel value 0 to 255 that was not "
                f"there before, and a class name, got {','.join(row)!r}"
            )
        found[int(value)] = name
    return dict(sorted(found.items()))


PLUGIN = RoboflowDataset
