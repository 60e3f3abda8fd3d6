"""A data set whose truth is drawn: from outlines, run lengths or masks in colour."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from edgeseg.runtime.accuracy.dataset import Dataset, translated

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class DrawnDataset(Dataset):
    """Its `truth_path` is the file of annotations; `draw` makes class ids of it."""

    @abstractmethod
    def draw(self, name: str) -> NDArray[np.uint8]:
        """Return a picture's class ids ``(H, W)`` uint8, 255 for void.

        Raises
        ------
        InputError
            The annotations cannot be used; the message names file and place.
        """

    def truth(self, name: str) -> NDArray[np.uint8]:
        """Return what is drawn; see `Dataset.truth`."""
        ids = self.draw(name)
        return translated(
            self.truth_path(name), ids, self.table(name), len(self.labels)
        )
