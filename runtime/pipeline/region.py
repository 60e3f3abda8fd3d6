"""The part of a frame that is segmented."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgeseg.devices import InputError

_FORM = (
    "region: expected X,Y,WIDTH,HEIGHT in pixels or, all four at most 1, as fractions "
    "of the frame"
)


@dataclass(frozen=True)
class Region:
    """A rectangle, in pixels or in fractions of any frame.

    Parameters
    ----------
    x, y, width, height : float
        Left, top and size. All four at most 1 are fractions.

    Raises
    ------
    InputError
        It is outside of every frame, or has no area.
    """

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        values = (self.x, self.y, self.width, self.height)
        if not all(math.isfinite(value) and value >= 0 for value in values):
            raise InputError(f"{_FORM}; got {values}")
        if self.is_relative and max(self.x + self.width, self.y + self.height) > 1:
            raise InputError(
                f"{_FORM}, which must not reach over its edge; got {values}"
            )
        if not (self.width and self.height):
            raise InputError(f"{_FORM}; got no area: {values}")

    @classmethod
    def parse(cls, text: str) -> Region:
        """Read ``X,Y,WIDTH,HEIGHT``.

        Raises
        ------
        InputError
            It is something else.
        """
        try:
            x, y, width, height = (float(part) for part in text.split(","))
        except ValueError as error:
            raise InputError(f"{_FORM}; got {text!r}") from error
        return cls(x, y, width, height)

    @property
    def is_relative(self) -> bool:
        """Whether the values are fractions."""
        return max(self.x, self.y, self.width, self.height) <= 1

    def within(self, frame_hw: tuple[int, int]) -> tuple[slice, slice]:
        """Return the rows and columns of a frame that the region covers.

        Parameters
        ----------
        frame_hw : (int, int)
            Height and width of the frame in pixels.

        Raises
        ------
        InputError
            None do.

        Examples
        --------
        >>> Region(0.5, 0, 0.5, 1).within((480, 640))
        (slice(0, 480, None), slice(320, 640, None))
        """
        height, width = frame_hw
        across, down = (width, height) if self.is_relative else (1, 1)
        left, top = round(self.x * across), round(self.y * down)
        right = min(width, round((self.x + self.width) * across))
        bottom = min(height, round((self.y + self.height) * down))
        if left >= right or top >= bottom:
            raise InputError(
                f"region: {self.x:g},{self.y:g},{self.width:g},{self.height:g} has no "
                f"pixel in a frame of {width}x{height}"
            )
        return slice(top, bottom), slice(left, right)
