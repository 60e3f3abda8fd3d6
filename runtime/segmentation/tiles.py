"""Tiles of a picture: which classes can win in each, and the pixels of those left.

All pixels of a tile are between the same grid lines, so that its scores stay between
those of its four corner pixels. Tiles where several classes can win are interpolated
side by side, as one long row. The row is as high as the highest tile; shorter tiles
repeat their last line, which writes the same value twice. Tiles with more candidates
come first, so that each further class is a shorter row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array
    from edgeseg.runtime.segmentation.grid_axis import Axis

    Undecided: TypeAlias = "list[tuple[Tiles, NDArray[np.bool_]]]"

# Scores at tiles' corners worked on at a time: bounds their arrays, which should stay
# in a processor's cache. 2**18 was faster by a tenth, 2**14 slower by a third.
_BATCH_SCORES = 1 << 17
# Pixels of a row of tiles: bounds its arrays, which should stay in a processor's cache.
# 2**16 and 2**17 were the fastest, 2**13 took a fifth longer.
_ROW_PIXELS = 1 << 16


@dataclass(frozen=True, eq=False)
class Tiles:
    """Some tiles of a picture, by their places on both axes.

    Parameters
    ----------
    rows, columns : ndarray
        ``(n,)`` indices into the axes' tiles.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]

    def __getitem__(self, chosen: slice | Array) -> Tiles:
        return Tiles(self.rows[chosen], self.columns[chosen])


def decide_tiles(
    labels: NDArray[np.int16],
    top: int,
    planes: Array,
    rows: Axis,
    columns: Axis,
    tolerance: np.float32,
) -> Undecided:
    """Label the open tiles that a single class can win.

    Parameters
    ----------
    labels : ndarray
        ``(tile rows, tile columns)`` int16, -1 where a tile is open; written to.
    top : int
        First of these rows of tiles on the picture's axis.
    planes : ndarray
        ``(C, h, w)`` scores.
    rows, columns : Axis
        The picture's axes.
    tolerance : float32
        What rounding can change in a comparison of two scores.

    Returns
    -------
    list of (Tiles, ndarray)
        The tiles that are left, with ``(C, n)`` bool: the classes that can win there.
    """
    import numpy as np

    open_rows, open_columns = np.nonzero(labels < 0)
    tiles = Tiles(open_rows + top, open_columns)
    undecided = []
    step = max(1, _BATCH_SCORES // (4 * len(planes)))
    for start in range(0, len(open_rows), step):
        batch = slice(start, start + step)
        candidates = _candidates(planes, tiles[batch], rows, columns, tolerance)
        labels[open_rows[batch], open_columns[batch]] = candidates.argmax(axis=0)
        shared = candidates.sum(axis=0) > 1
        undecided.append((tiles[batch][shared], candidates[:, shared]))
    return undecided


def _candidates(
    planes: Array, tiles: Tiles, rows: Axis, columns: Axis, tolerance: np.float32
) -> NDArray[np.bool_]:
    """Return which classes may win somewhere in a tile: ``(C, n)``."""
    import numpy as np

    scores = _corner_scores(planes, tiles, rows, columns)
    best = scores.argmax(axis=0)
    limit = np.zeros(best.shape, np.float32)
    for corner in best:
        of_best = np.take_along_axis(scores, corner[None, None], axis=0)[0]
        limit += np.float32(0.25) * of_best
    limit -= tolerance
    candidates = scores >= limit
    return candidates[:, 0] | candidates[:, 1] | candidates[:, 2] | candidates[:, 3]


def _corner_scores(
    planes: Array, tiles: Tiles, rows: Axis, columns: Axis
) -> NDArray[np.float32]:
    """Return scores at the tiles' first and last pixels: ``(C, 4, n)``."""
    import numpy as np

    flat = planes.reshape(len(planes), -1)
    upper = rows.low[tiles.rows] * planes.shape[2]
    lower = rows.high[tiles.rows] * planes.shape[2]
    left, right = columns.low[tiles.columns], columns.high[tiles.columns]
    a, b, c, d = (
        np.take(flat, point, axis=1).astype(np.float32)
        for point in (upper + left, upper + right, lower + left, lower + right)
    )
    scores = np.empty((len(planes), 4, len(left)), np.float32)
    for side, pixels in enumerate((columns.starts, columns.lasts)):
        weight = columns.weights[pixels[tiles.columns]]
        top, bottom = lerp(a, b, weight), lerp(c, d, weight)
        for end, lines in enumerate((rows.starts, rows.lasts)):
            share = rows.weights[lines[tiles.rows]]
            scores[:, 2 * end + side] = lerp(top, bottom, share)
    return scores


def lerp(
    low: NDArray[np.float32], high: NDArray[np.float32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return ``low + (high - low) * weight``, each step rounded to float32."""
    rise: NDArray[np.float32] = (high - low) * weight
    rise += low
    return rise


def fill_tiles(
    ids: NDArray[np.uint8],
    planes: Array,
    candidates: NDArray[np.bool_],
    tiles: Tiles,
    rows: Axis,
    columns: Axis,
) -> None:
    """Write the best of the candidate classes into the pixels of some tiles.

    Parameters
    ----------
    ids : ndarray
        ``(H, W)`` uint8, contiguous, written to.
    planes : ndarray
        ``(C, h, w)`` scores.
    candidates : ndarray
        ``(C, n)`` bool, the classes to compare in a tile, at least one.
    tiles : Tiles
        n tiles.
    rows, columns : Axis
        The picture's axes.
    """
    import numpy as np

    counts = candidates.sum(axis=0)
    order = np.argsort(-counts, kind="stable")
    counts, some = counts[order], tiles[order]
    classes = np.nonzero(candidates.T[order])[1]
    firsts = np.cumsum(counts) - counts
    step = max(1, _ROW_PIXELS // (len(rows.tile_pixels) * len(columns.tile_pixels)))
    for start in range(0, len(order), step):
        part = slice(start, start + step)
        ranks = _ranks(classes, firsts[part], counts[part])
        _fill_row(ids, planes, ranks, some[part], rows, columns)


def _ranks(
    classes: NDArray[np.intp], firsts: NDArray[np.intp], counts: NDArray[np.intp]
) -> Iterator[NDArray[np.intp]]:
    """Yield every tile's first class, then the second of those that have one, ..."""
    for rank in range(counts[0] if len(counts) else 0):
        yield classes[firsts[counts > rank] + rank]


def _fill_row(
    ids: NDArray[np.uint8],
    planes: Array,
    ranks: Iterator[NDArray[np.intp]],
    tiles: Tiles,
    rows: Axis,
    columns: Axis,
) -> None:
    import numpy as np

    widths = (columns.lasts - columns.starts + 1)[tiles.columns]
    ends = np.cumsum(widths)
    of_column = np.repeat(np.arange(len(widths)), widths)
    pixels = np.arange(ends[-1])
    pixels += (columns.starts[tiles.columns] - ends + widths)[of_column]
    lines = np.take(rows.tile_pixels, tiles.rows[of_column], axis=1)
    across, down = columns.weights[pixels], rows.weights[lines]
    best = np.full(lines.shape, -np.inf, np.float32)
    found = np.zeros(lines.shape, np.uint8)
    for classes in ranks:
        width = ends[len(classes) - 1]
        owner = of_column[:width]
        upper, lower = _lines(planes, classes, tiles, rows, columns, owner, across)
        scores = lerp(upper, lower, down[:, :width])
        better = scores > best[:, :width]
        np.copyto(found[:, :width], classes.astype(np.uint8)[owner], where=better)
        np.maximum(best[:, :width], scores, out=best[:, :width])
    lines *= ids.shape[1]
    lines += pixels
    ids.reshape(-1)[lines] = found


def _lines(
    planes: Array,
    classes: NDArray[np.intp],
    tiles: Tiles,
    rows: Axis,
    columns: Axis,
    owner: NDArray[np.intp],
    across: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return scores on the grid lines above and below a row's columns."""
    import numpy as np

    count = len(classes)
    some = tiles[:count]
    left, right = columns.low[some.columns], columns.high[some.columns]
    weight = across[: len(owner)]
    above, below = (
        lerp(
            planes[classes, line, left].astype(np.float32)[owner],
            planes[classes, line, right].astype(np.float32)[owner],
            weight,
        )
        for line in (rows.low[some.rows], rows.high[some.rows])
    )
    return above, below
