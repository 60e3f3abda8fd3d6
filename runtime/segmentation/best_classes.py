"""The best class of every pixel, without interpolating every class at every pixel.

Bilinear weights are convex: inside a rectangle between the same grid lines, a score
stays between its values at the corners. Hence

* a cell of the grid whose four corners prefer one class has it throughout;
* in a tile of a picture, a class that is below the average of the corners' best
  classes at all four corners is below the best of these everywhere, so it never wins.

Only the tiles where more than one class is left are interpolated, for these classes
(`fill_tiles`); where that would spare little, all are (`fill_rows`). Scores that
decide are computed as ``low + (high - low) * weight`` in float32, columns before rows,
for tiles and single pixels alike; what is ruled out is ruled out by more than rounding
can change. The first of equal classes wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.segmentation.every_pixel import fill_rows
from edgeseg.runtime.segmentation.tiles import decide_tiles, fill_tiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array
    from edgeseg.runtime.segmentation.grid_axis import Axis
    from edgeseg.runtime.segmentation.tiles import Undecided

# Pixels of a band of rows of tiles: bounds the memory of large photos.
_BAND_PIXELS = 1 << 20
# Corners of open tiles a pixel, beyond which interpolating every pixel is faster.
_OPEN_CORNERS = 0.5
# What finding and writing a tile's pixels takes, in classes to interpolate there.
_TILE_CLASSES = 6
# Grid points a pixel, beyond which a picture is too small for looking at them all.
_GRID_POINTS = 8
# An interpolated score differs from its real value by at most about 11 roundings of
# 2**-24 of the largest score, two scores by 22, their average's limit by a few more.
_ROUNDING = 2.0**-18
# Products of the smallest float32 numbers are rounded to multiples of 2**-149.
_UNDERFLOW = 2.0**-120


def best_classes(
    planes: Array, rows: Axis, columns: Axis, largest: float
) -> NDArray[np.uint8]:
    """Return the class with the largest interpolated score at every pixel.

    Parameters
    ----------
    planes : ndarray
        ``(C, h, w)`` scores at least as far as the axes reach, C from 2 to 256; of
        any real dtype whose values float32 holds.
    rows, columns : Axis
        The picture's axes.
    largest : float
        Largest absolute score that may occur.

    Returns
    -------
    ndarray
        ``(H, W)`` uint8.
    """
    import numpy as np

    ids = np.empty((len(rows.tiles), len(columns.tiles)), np.uint8)
    if _GRID_POINTS * ids.size < planes[0].size:
        fill_rows(ids, planes, 0, len(ids) - 1, rows, columns)
        return ids
    tolerance = np.float32(largest * _ROUNDING + _UNDERFLOW)
    winners = _clear_winners(planes, tolerance)
    for band in _bands_of_tiles(rows, len(columns.tiles)):
        _fill_band(ids, planes, winners, band, rows, columns, tolerance)
    return ids


def _bands_of_tiles(rows: Axis, width: int) -> Iterator[slice]:
    step = max(1, _BAND_PIXELS // (width * len(rows.tile_pixels)))
    for start in range(0, len(rows.starts), step):
        yield slice(start, min(start + step, len(rows.starts)))


def _fill_band(
    ids: NDArray[np.uint8],
    planes: Array,
    winners: NDArray[np.int16],
    band: slice,
    rows: Axis,
    columns: Axis,
    tolerance: np.float32,
) -> None:
    """Write the pixels of some rows of tiles into ``ids``."""
    import numpy as np

    first, last = rows.starts[band.start], rows.lasts[band.stop - 1]
    block = ids[first : last + 1]
    labels = _shared_class(winners, rows.low[band], rows.high[band], columns)
    undecided, is_open = None, np.count_nonzero(labels < 0)
    corners, work = 4 * is_open, _TILE_CLASSES * is_open
    if corners <= _OPEN_CORNERS * block.size and work <= labels.size * len(planes):
        undecided = decide_tiles(labels, band.start, planes, rows, columns, tolerance)
    if undecided is None or 2 * _work(undecided) > labels.size * len(planes):
        fill_rows(ids, planes, first, last, rows, columns)
        return
    wide = np.take(labels.astype(np.uint8), columns.tiles, axis=1)
    of_row = rows.tiles[first : last + 1] - band.start
    np.take(wide, of_row, axis=0, out=block, mode="clip")
    for tiles, candidates in undecided:
        fill_tiles(ids, planes, candidates, tiles, rows, columns)


def _work(undecided: Undecided) -> int:
    """Return what tiles would take, in classes that one tile has to compare."""
    return sum(
        int(candidates.sum()) + _TILE_CLASSES * candidates.shape[1]
        for _, candidates in undecided
    )


def _clear_winners(planes: Array, tolerance: np.float32) -> NDArray[np.int16]:
    """Return the best class of each grid point, -1 where it is not clear."""
    import numpy as np

    best = _comparable(planes[0])
    second = np.full_like(best, _lowest(best))
    winners = np.zeros(best.shape, np.int16)
    for class_id in range(1, len(planes)):
        scores = _comparable(planes[class_id])
        np.maximum(second, np.minimum(best, scores), out=second)
        np.copyto(winners, class_id, where=scores > best)
        best = np.maximum(best, scores)
    winners[best - tolerance <= second] = -1
    return winners


def _shared_class(
    winners: NDArray[np.int16],
    low: NDArray[np.intp],
    high: NDArray[np.intp],
    columns: Axis,
) -> NDArray[np.int16]:
    """Return the class that a tile's four grid points share, else -1."""
    import numpy as np

    upper, lower = winners[low], winners[high]
    labels = np.take(upper, columns.low, axis=1)
    differs = labels != np.take(upper, columns.high, axis=1)
    for side in (columns.low, columns.high):
        differs |= labels != np.take(lower, side, axis=1)
    labels[differs] = -1
    return labels


def _comparable(plane: Array) -> Array:
    import numpy as np

    return plane.astype(np.float32) if plane.dtype == np.float16 else plane


def _lowest(plane: Array) -> float:
    import numpy as np

    return np.iinfo(plane.dtype).min if plane.dtype.kind in "iu" else -np.inf
