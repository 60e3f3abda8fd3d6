"""Areas of a picture, and how they are painted over each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

LARGEST_PIXELS = 179_000_000  # of a picture; what `read_picture` takes


@dataclass(frozen=True)
class Area:
    """Some pixels of a picture, kept as the rectangle around them.

    Parameters
    ----------
    top, left : int
        Of the rectangle.
    mask : ndarray
        ``(h, w)`` bool, inside the picture.
    """

    top: int
    left: int
    mask: NDArray[np.bool_]

    @classmethod
    def placed(
        cls, top: int, left: int, mask: NDArray[np.bool_], size_hw: tuple[int, int]
    ) -> Area:
        """Return a mask at a place; what is outside of the picture is cut off.

        Parameters
        ----------
        top, left : int
            Of the mask in the picture; they may be negative.
        mask : ndarray
            ``(h, w)`` bool.
        size_hw : (int, int)
            Of the picture.
        """
        rows = slice(max(-top, 0), max(size_hw[0] - top, 0))
        columns = slice(max(-left, 0), max(size_hw[1] - left, 0))
        return cls(max(top, 0), max(left, 0), mask[rows, columns])

    @property
    def pixels(self) -> int:
        """How many there are."""
        return int(self.mask.sum())

    def paint(self, ids: NDArray[np.uint8], class_id: int) -> None:
        """Write a class id into ``(H, W)`` uint8 ids, in place."""
        height, width = self.mask.shape
        part = ids[self.top : self.top + height, self.left : self.left + width]
        part[self.mask] = class_id


def painted(
    areas: Iterable[tuple[Area, int]],
    size_hw: tuple[int, int],
    *,
    largest_first: bool,
    below: Iterable[tuple[Area, int]] = (),
) -> NDArray[np.uint8]:
    """Return class ids ``(H, W)`` uint8, 0 where nothing is painted.

    Parameters
    ----------
    areas : iterable of (Area, int)
        With their class ids.
    size_hw : (int, int)
        Height and width.
    largest_first : bool
        Paint by size, so that small things are on top of large ones; else in their
        order. Areas of one size keep their order.
    below : iterable of (Area, int)
        Painted before all others.
    """
    import numpy as np

    ids = np.zeros(size_hw, np.uint8)
    found = list(areas)
    if largest_first:
        found.sort(key=lambda each: -each[0].pixels)
    for area, class_id in (*below, *found):
        area.paint(ids, class_id)
    return ids


def check_size(size_hw: tuple[int, int], where: str) -> tuple[int, int]:
    """Return a picture's height and width, or raise `InputError` where absurd."""
    height, width = size_hw
    if not (height > 0 and width > 0 and height * width <= LARGEST_PIXELS):
        raise InputError(
            f"{where}: expected a size of 1 to {LARGEST_PIXELS} pixels, got "
            f"{width}x{height}"
        )
    return size_hw
