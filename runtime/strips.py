"""Interpolation of chosen tiles, laid side by side to long strips.

A strip is as high as the highest tile; shorter tiles repeat their last row, which
writes the same value twice. Tiles with more classes to compare come first, so that
each further class is a shorter strip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.positions import Axis
    from edgeseg.runtime.tiles import Tiles

# Pixels of a strip: bounds its arrays, which should stay in a processor's cache.
# 2**16 and 2**17 were the fastest, 2**13 took a fifth longer.
_STRIP_PIXELS = 1 << 16


def lerp(
    low: NDArray[np.float32], high: NDArray[np.float32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return ``low + (high - low) * weight``, each step rounded to float32."""
    rise: NDArray[np.float32] = (high - low) * weight
    rise += low
    return rise


def fill_tiles(
    ids: NDArray[np.uint8],
    planes: NDArray[Any],
    able: NDArray[np.bool_],
    tiles: Tiles,
    rows: Axis,
    columns: Axis,
) -> None:
    """Write the best of the able classes into the pixels of some tiles.

    Parameters
    ----------
    ids : ndarray
        ``(H, W)`` uint8, contiguous, written to.
    planes : ndarray
        ``(C, h, w)`` scores.
    able : ndarray
        ``(C, n)`` bool, the classes to compare in a tile, at least one.
    tiles : Tiles
        n tiles.
    rows, columns : Axis
        The picture's axes.
    """
    import numpy as np

    counts = able.sum(axis=0)
    order = np.argsort(-counts, kind="stable")
    counts, some = counts[order], tiles[order]
    classes = np.nonzero(able.T[order])[1]
    firsts = np.cumsum(counts) - counts
    step = max(1, _STRIP_PIXELS // (len(rows.spread) * len(columns.spread)))
    for start in range(0, len(order), step):
        part = slice(start, start + step)
        ranks = _ranks(classes, firsts[part], counts[part])
        _fill_strip(ids, planes, ranks, some[part], rows, columns)


def _ranks(
    classes: NDArray[np.intp], firsts: NDArray[np.intp], counts: NDArray[np.intp]
) -> Iterator[NDArray[np.intp]]:
    """Yield every tile's first class, then the second of those that have one, ..."""
    for rank in range(counts[0] if len(counts) else 0):
        yield classes[firsts[counts > rank] + rank]


def _fill_strip(
    ids: NDArray[np.uint8],
    planes: NDArray[Any],
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
    lines = np.take(rows.spread, tiles.rows[of_column], axis=1)
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
    planes: NDArray[Any],
    classes: NDArray[np.intp],
    tiles: Tiles,
    rows: Axis,
    columns: Axis,
    owner: NDArray[np.intp],
    across: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return scores on the grid lines above and below a strip's columns."""
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
