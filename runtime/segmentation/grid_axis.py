"""The coordinates of a picture's pixels on the network's grid, along one axis.

They follow every pixel's centre back through the letterbox in one affine step.
What depends on sizes alone is worked out once and kept for the pictures to come.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Longest side of a tile in pixels: smaller ones follow the borders of areas more
# closely, larger ones are fewer. With 33x33 cells under 1280x720 pixels, 20 to 28 were
# the fastest; 8 and 40 took twice and one and a half times as long.
TILE = 20
# Axes kept: two for a size of picture, so that a folder of mixed photos profits too.
_KEPT = 64


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis of a picture, cut into tiles, each between two neighbouring grid lines.

    Parameters
    ----------
    starts, lasts : ndarray
        ``(tiles,)`` first and last pixel of a tile; tiles follow one another.
    low, high : ndarray
        ``(tiles,)`` grid lines on both sides of a tile's pixels; the same line twice
        beyond the last.
    tiles : ndarray
        ``(pixels,)`` the tile of a pixel.
    weights : ndarray
        ``(pixels,)`` float32 share of ``high``.
    nearest : ndarray
        ``(pixels,)`` the grid line that is nearest, halves rounded up.
    tile_pixels : ndarray
        ``(longest, tiles)`` pixels of a tile, the last one repeated in shorter tiles.
    """

    starts: NDArray[np.intp]
    lasts: NDArray[np.intp]
    low: NDArray[np.intp]
    high: NDArray[np.intp]
    tiles: NDArray[np.intp]
    weights: NDArray[np.float32]
    nearest: NDArray[np.intp]
    tile_pixels: NDArray[np.intp]

    @property
    def needed(self) -> int:
        """Number of grid lines that the picture needs, from the first on."""
        return int(max(self.high[-1], self.nearest[-1])) + 1


def grid_coordinates(
    picture: int, scaled: int, input_side: int, grid: int, resize: str
) -> NDArray[np.float64]:
    """Return the grid coordinates of the centres of a picture's pixels on one axis.

    Parameters
    ----------
    picture, scaled, input_side, grid : int
        Lengths of the picture, of the scaled picture, of the network's input, and of
        the grid that covers the input.
    resize : {"align-corners", "half-pixel", "legacy"}
        Alignment of grid and input.

    Returns
    -------
    ndarray
        ``(picture,)`` float64, in cells, within 0 .. grid - 1.

    Examples
    --------
    >>> grid_coordinates(5, 5, 5, 3, "align-corners")
    array([0. , 0.5, 1. , 1.5, 2. ])
    """
    import numpy as np

    on_input = (np.arange(picture) + 0.5) * (scaled / picture) - 0.5
    on_input = np.clip(on_input, 0, scaled - 1)
    if resize == "align-corners":
        coordinates = on_input * ((grid - 1) / max(input_side - 1, 1))
    elif resize == "half-pixel":
        coordinates = (on_input + 0.5) * (grid / input_side) - 0.5
    else:
        coordinates = on_input * (grid / input_side)
    inside: NDArray[np.float64] = np.clip(coordinates, 0, grid - 1)
    return inside


@lru_cache(maxsize=_KEPT)
def axis_of(picture: int, scaled: int, input_side: int, grid: int, resize: str) -> Axis:
    """Return an axis cut into tiles; parameters are those of `grid_coordinates`.

    Examples
    --------
    >>> axis = axis_of(5, 5, 5, 3, "align-corners")
    >>> axis.starts, axis.low, axis.high
    (array([0, 2, 4]), array([0, 1, 2]), array([1, 2, 2]))
    >>> axis.weights
    array([0. , 0.5, 0. , 0.5, 0. ], dtype=float32)
    """
    import numpy as np

    coordinates = grid_coordinates(picture, scaled, input_side, grid, resize)
    low = coordinates.astype(np.intp)
    starts = _tile_starts(low)
    sizes = np.diff(starts, append=picture)
    longest = np.arange(sizes.max())[:, None]
    return Axis(
        starts=starts,
        lasts=starts + sizes - 1,
        low=low[starts],
        high=np.minimum(low[starts] + 1, grid - 1),
        tiles=np.repeat(np.arange(len(starts)), sizes),
        weights=(coordinates - low).astype(np.float32),
        nearest=np.floor(coordinates + 0.5).astype(np.intp),
        tile_pixels=starts + np.minimum(longest, sizes - 1),
    )


def _tile_starts(low: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return where tiles start: at each new cell, and evenly within long cells."""
    import numpy as np

    cells = np.flatnonzero(np.diff(low, prepend=-1))
    sizes = np.diff(cells, append=len(low))
    parts = -(-sizes // TILE)
    cell = np.repeat(np.arange(len(cells)), parts)
    part = np.arange(len(cell)) - np.repeat(np.cumsum(parts) - parts, parts)
    starts: NDArray[np.intp] = cells[cell] + sizes[cell] * part // parts[cell]
    return starts
