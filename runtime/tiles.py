"""Tiles of a picture, and the classes that can win in each.

A tile's pixels lie between the same grid lines, so its scores stay between those of
its four corner pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeseg.runtime.strips import lerp

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.positions import Axis

    Undecided: TypeAlias = "list[tuple[Tiles, NDArray[np.bool_]]]"

# Scores at tiles' corners worked on at a time: bounds their arrays, which should stay
# in a processor's cache. 2**18 was faster by a tenth, 2**14 slower by a third.
_BATCH_SCORES = 1 << 17


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

    def __getitem__(self, chosen: Any) -> Tiles:
        return Tiles(self.rows[chosen], self.columns[chosen])


def settle(
    labels: NDArray[np.int16],
    top: int,
    planes: NDArray[Any],
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
        able = _able_classes(planes, tiles[batch], rows, columns, tolerance)
        labels[open_rows[batch], open_columns[batch]] = able.argmax(axis=0)
        shared = able.sum(axis=0) > 1
        undecided.append((tiles[batch][shared], able[:, shared]))
    return undecided


def _able_classes(
    planes: NDArray[Any], tiles: Tiles, rows: Axis, columns: Axis, tolerance: np.float32
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
    able = scores >= limit
    return able[:, 0] | able[:, 1] | able[:, 2] | able[:, 3]


def _corner_scores(
    planes: NDArray[Any], tiles: Tiles, rows: Axis, columns: Axis
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
