"""Cityscapes' layout: leftImg8bit/SPLIT/CITY/ and gtFine/SPLIT/CITY/.

Masks are taken as ``*_gtFine_labelTrainIds.png`` where they are there (0 to 18, 255
void), else as ``*_gtFine_labelIds.png``, whose 34 ids are brought to the 19 train ids.

References
----------
cityscapesScripts, ``helpers/labels.py`` (the table of ids and train ids).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.dataset import Dataset, stored_as_is
from edgeseg.runtime.accuracy.lists import folders_of, no_split, truth_labels
from edgeseg.runtime.model.labels import VOID

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_PICTURE = "_leftImg8bit.png"
_ALL_IDS = 34  # ids 0..33; a licence plate's -1 is stored as 255
# The id of each train id 0..18: road, sidewalk, building, wall, fence, pole, traffic
# light and sign, vegetation, terrain, sky, person, rider, car, truck, bus, train,
# motorcycle, bicycle
_TRAINED = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)


class CityscapesDataset(Dataset):
    """A Cityscapes folder.

    Parameters
    ----------
    root : Path
        Holds ``leftImg8bit`` and ``gtFine``.
    split : str
        A folder in both.
    labels : str or None
        Replaces the 19 labels, and so does a ``labels.txt`` in the root.

    Raises
    ------
    InputError
        The split is missing or holds no pictures.
    """

    LAYOUT = "leftImg8bit/SPLIT/CITY/ and gtFine/SPLIT/CITY/ (Cityscapes)"

    def __init__(self, root: Path, split: str, labels: str | None = None) -> None:
        images = root / "leftImg8bit"
        self._images, self._masks = images / split, root / "gtFine" / split
        if not self._images.is_dir():
            raise no_split(root, split, str(self._images), self.splits(root))
        found = sorted(self._images.glob(f"*/*{_PICTURE}"))
        self._ids = tuple(
            f"{path.parent.name}/{path.name[: -len(_PICTURE)]}" for path in found
        )
        if not self._ids:
            raise InputError(
                f"no pictures in {self._images}: expected CITY/*{_PICTURE}"
            )
        self._labels = truth_labels(root, labels, "cityscapes")

    @classmethod
    def recognizes(cls, root: Path) -> bool:
        """Return whether both folders are there."""
        return (root / "leftImg8bit").is_dir() and (root / "gtFine").is_dir()

    @classmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        """Return the folders that are in both."""
        return folders_of(root / "leftImg8bit", root / "gtFine")

    def picture_path(self, name: str) -> Path:
        """Return ``leftImg8bit/SPLIT/NAME_leftImg8bit.png``."""
        return self._images / f"{name}{_PICTURE}"

    def truth_path(self, name: str) -> Path:
        """Return the mask of train ids, else that of all ids."""
        ready = self._masks / f"{name}_gtFine_labelTrainIds.png"
        every = self._masks / f"{name}_gtFine_labelIds.png"
        return every if every.is_file() and not ready.is_file() else ready

    def table(self, name: str) -> NDArray[np.int16]:
        """Return the class id of each value of a mask; see `Dataset.table`."""
        if self.truth_path(name).name.endswith("TrainIds.png"):
            return stored_as_is(len(self._labels))
        table = stored_as_is(0)
        table[:_ALL_IDS] = VOID
        table[list(_TRAINED)] = range(len(_TRAINED))
        return table


PLUGIN = CityscapesDataset
