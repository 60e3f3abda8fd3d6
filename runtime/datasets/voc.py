"""PASCAL VOC's layout: JPEGImages/, SegmentationClass/ and a list of ids.

References
----------
VOC 2012 development kit: masks are palette PNGs whose indices are class ids, 255 is
void.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.accuracy.dataset import Dataset
from edgeseg.runtime.accuracy.lists import no_split, read_list, text_lists, truth_labels

if TYPE_CHECKING:
    from pathlib import Path


class VocDataset(Dataset):
    """A VOC folder.

    Parameters
    ----------
    root : Path
        Holds ``JPEGImages`` and ``SegmentationClass``; a ``labels.txt`` there replaces
        the 21 VOC labels.
    split : str
        ``SPLIT.txt`` is looked for in the root and in ``ImageSets/Segmentation``.
    labels : str or None
        Replaces both.

    Raises
    ------
    InputError
        A folder or the list is missing, or the list is empty.
    """

    LAYOUT = "JPEGImages/ and SegmentationClass/ (PASCAL VOC)"

    def __init__(self, root: Path, split: str, labels: str | None = None) -> None:
        self._root = root
        lists = [folder / f"{split}.txt" for folder in _list_folders(root)]
        found = next((path for path in lists if path.is_file()), None)
        if found is None:
            expected = " or ".join(map(str, lists))
            raise no_split(root, split, expected, self.splits(root))
        self._ids = read_list(found)
        self._labels = truth_labels(root, labels, "pascal-voc")

    @classmethod
    def recognizes(cls, root: Path) -> bool:
        """Return whether both folders are there, and no list of CVAT's."""
        folders = ("JPEGImages", "SegmentationClass")
        is_cvat = (root / "labelmap.txt").is_file()
        return all((root / name).is_dir() for name in folders) and not is_cvat

    @classmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        """Return the names of the lists."""
        return tuple(sorted(set(text_lists(*_list_folders(root)))))

    def picture_path(self, name: str) -> Path:
        """Return ``JPEGImages/NAME.jpg``."""
        return self._root / "JPEGImages" / f"{name}.jpg"

    def truth_path(self, name: str) -> Path:
        """Return ``SegmentationClass/NAME.png``."""
        return self._root / "SegmentationClass" / f"{name}.png"


def _list_folders(root: Path) -> tuple[Path, Path]:
    return root, root / "ImageSets/Segmentation"


PLUGIN = VocDataset
