"""Every class interpolated at every pixel: for scores without areas, such as noise.

Where nearly every tile has many classes to compare, choosing tiles costs more than it
spares. One class after the other is interpolated, over blocks of rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.segmentation.tiles import lerp

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array
    from edgeseg.runtime.segmentation.grid_axis import Axis

# Pixels of a block: the arrays of one class stay in a processor's cache.
_BLOCK_PIXELS = 1 << 16


def fill_rows(
    ids: NDArray[np.uint8],
    planes: Array,
    first: int,
    last: int,
    rows: Axis,
    columns: Axis,
) -> None:
    """Write the best class of every pixel in some rows of a picture.

    Parameters
    ----------
    ids : ndarray
        ``(H, W)`` uint8, written to.
    planes : ndarray
        ``(C, h, w)`` scores.
    first, last : int
        The rows, the last one included.
    rows, columns : Axis
        The picture's axes.
    """
    step = max(1, _BLOCK_PIXELS // ids.shape[1])
    for start in range(first, last + 1, step):
        stop = min(start + step, last + 1)
        _fill_block(ids[start:stop], planes, slice(start, stop), rows, columns)


def _fill_block(
    found: NDArray[np.uint8],
    planes: Array,
    lines: slice,
    rows: Axis,
    columns: Axis,
) -> None:
    import numpy as np

    found[:] = 0
    best = _interpolated(planes[0], lines, rows, columns)
    for class_id in range(1, len(planes)):
        scores = _interpolated(planes[class_id], lines, rows, columns)
        np.copyto(found, class_id, where=scores > best)
        np.maximum(best, scores, out=best)


def _interpolated(
    plane: Array, lines: slice, rows: Axis, columns: Axis
) -> NDArray[np.float32]:
    """Return a plane's scores in some rows of the picture: ``(lines, W)``."""
    import numpy as np

    tiles = rows.tiles[lines]
    low, high = rows.low[tiles[0]], rows.high[tiles[-1]]
    grid = plane[low : high + 1].astype(np.float32)
    left, right = columns.low[columns.tiles], columns.high[columns.tiles]
    wide = lerp(
        np.take(grid, left, axis=1), np.take(grid, right, axis=1), columns.weights
    )
    upper = rows.low[tiles] - low
    # the rise between two grid lines is the same for all pixels between them
    lower = np.minimum(np.arange(1, len(wide) + 1), len(wide) - 1)
    scores: NDArray[np.float32] = np.take(wide[lower] - wide, upper, axis=0)
    scores *= rows.weights[lines, None]
    scores += np.take(wide, upper, axis=0)
    return scores
