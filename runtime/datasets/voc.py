"""PASCAL VOC's layout: JPEGImages/, SegmentationClass/ and a list of ids.

References
----------
VOC 2012 development kit: masks are palette PNGs whose indices are class ids, 255 is
void.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.datasets._base import Dataset
from edgeseg.runtime.labels import load_labels
from edgeseg.runtime.pictures import read_ids

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class VocDataset(Dataset):
    """A VOC folder.

    Parameters
    ----------
    root : Path
        Holds ``JPEGImages`` and ``SegmentationClass``; a ``labels.txt`` there replaces
        the 21 VOC labels.
    split : str
        ``SPLIT.txt`` is looked for in the root and in ``ImageSets/Segmentation``.

    Raises
    ------
    InputError
        A folder or the list is missing, or the list is empty.
    """

    def __init__(self, root: Path, split: str) -> None:
        self._root = root
        lists = [
            root / f"{split}.txt",
            root / "ImageSets/Segmentation" / f"{split}.txt",
        ]
        found = next((path for path in lists if path.is_file()), None)
        if found is None:
            known = sorted(
                p.stem
                for f in lists
                for p in f.parent.glob("*.txt")
                if p.stem != "labels"
            )
            raise InputError(
                f"no split {split!r} in {root}: expected {lists[0]} or {lists[1]}; "
                f"lists there: {', '.join(known) or 'none'}"
            )
        try:
            self._ids = tuple(found.read_text("utf-8").split())
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read the list {found}: {error}") from error
        if not self._ids:
            raise InputError(f"{found} lists no pictures")
        own = root / "labels.txt"
        self._labels = load_labels(str(own) if own.is_file() else "pascal-voc").labels

    @property
    def labels(self) -> tuple[str, ...]:
        """The VOC labels, or those of ``labels.txt``."""
        return self._labels

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids in the list's order."""
        return self._ids

    def picture_path(self, name: str) -> Path:
        """Return ``JPEGImages/NAME.jpg``."""
        return self._root / "JPEGImages" / f"{name}.jpg"

    def truth(self, name: str) -> NDArray[np.uint8]:
        """Return the mask's palette indices."""
        path = self._root / "SegmentationClass" / f"{name}.png"
        ids = read_ids(path)
        strange = sorted(
            {int(i) for i in set(ids.ravel()) if len(self._labels) <= i < 255}
        )
        if strange:
            raise InputError(
                f"{path}: ids {strange} are neither one of {len(self._labels)} labels "
                "nor 255 (void)"
            )
        return ids


PLUGIN = VocDataset
