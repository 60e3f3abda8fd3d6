"""ADE20K's scene parsing layout: images/SPLIT/ and annotations/SPLIT/.

A mask holds 0 for what has no class and 1 to 150 for the classes, so that class ids
are one less and 0 is void. MLPerf's variant has 32 labels, the first of them for
everything else: there ids are what the mask holds, truth 0 is void all the same, and
so are the classes after the 31st of masks that were not prepared for it. It is chosen
by a label set whose first name stands for no class: ``ade20k-mlperf32``, or a
``labels.txt`` of that kind in the folder.

References
----------
https://github.com/CSAILVision/sceneparsing (folders, masks);
https://github.com/mlcommons/mobile_open, vision/deeplab (32 classes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.dataset import Dataset
from edgeseg.runtime.accuracy.lists import folders_of, no_split, truth_labels
from edgeseg.runtime.model.labels import VOID, background_ids

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_CLASSES = 150  # of the scene parsing benchmark
_SHORT = {"val": "validation", "train": "training"}


class Ade20kDataset(Dataset):
    """An ADE20K folder.

    Parameters
    ----------
    root : Path
        Holds ``images`` and ``annotations``; a ``labels.txt`` there replaces the 150
        ADE20K labels.
    split : str
        A folder in both; ``val`` and ``train`` find ``validation`` and ``training``.
    labels : str or None
        Replaces both; ``ade20k-mlperf32`` chooses MLPerf's variant.

    Raises
    ------
    InputError
        The split is missing or holds no pictures.
    """

    LAYOUT = "images/SPLIT/ and annotations/SPLIT/ (ADE20K)"

    def __init__(self, root: Path, split: str, labels: str | None = None) -> None:
        images = root / "images"
        names = (split, _SHORT.get(split, split))
        found = next((name for name in names if (images / name).is_dir()), None)
        if found is None:
            raise no_split(root, split, str(images / names[-1]), self.splits(root))
        self._images, self._masks = images / found, root / "annotations" / found
        self._ids = tuple(sorted(path.stem for path in self._images.glob("*.jpg")))
        if not self._ids:
            raise InputError(f"no pictures in {self._images}: expected .jpg files")
        self._labels = truth_labels(root, labels, "ade20k")

    @classmethod
    def recognizes(cls, root: Path) -> bool:
        """Return whether both folders are there, and no annotations in JSON."""
        annotations = root / "annotations"
        is_coco = any(annotations.glob("*.json"))
        return (root / "images").is_dir() and annotations.is_dir() and not is_coco

    @classmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        """Return the folders in ``images`` that have one in ``annotations``."""
        return folders_of(root / "images", root / "annotations")

    def picture_path(self, name: str) -> Path:
        """Return ``images/SPLIT/NAME.jpg``."""
        return self._images / f"{name}.jpg"

    def truth_path(self, name: str) -> Path:
        """Return ``annotations/SPLIT/NAME.png``."""
        return self._masks / f"{name}.png"

    def table(self, name: str) -> NDArray[np.int16]:
        """Return the class id of each value of a mask; see `Dataset.table`."""
        import numpy as np

        count = min(len(self._labels), VOID - 1)
        table = np.full(256, -1, np.int16)
        table[[0, VOID]] = VOID
        if 0 in background_ids(self._labels):
            table[1 : _CLASSES + 1] = VOID
            table[1:count] = np.arange(1, count)
        else:
            table[1 : count + 1] = np.arange(count)
        return table


PLUGIN = Ade20kDataset
