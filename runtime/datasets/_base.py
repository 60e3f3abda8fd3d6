"""The contract of a data set: pictures with truth."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class Dataset(ABC):
    """Pictures and their true class ids, in a fixed order.

    ``PLUGIN(root, split)`` reads the list of one split, or raises `InputError`.
    """

    @property
    @abstractmethod
    def labels(self) -> tuple[str, ...]:
        """Names of the truth's class ids."""

    @property
    @abstractmethod
    def ids(self) -> tuple[str, ...]:
        """Names of the pictures of the split."""

    @abstractmethod
    def picture_path(self, name: str) -> Path:
        """Return the path of a picture."""

    @abstractmethod
    def truth(self, name: str) -> NDArray[np.uint8]:
        """Return a picture's class ids ``(H, W)`` uint8, 255 for void.

        Raises
        ------
        InputError
            The mask is missing, unreadable, or holds ids that have no label.
        """
