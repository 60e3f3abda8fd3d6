"""Outlines brought to pixels as pycocotools does it, pixel for pixel.

Whole numbers are points between pixels, and the pixels inside are taken whose centre is
inside, to a fifth of a pixel. `edgeseg.runtime.annotations.outlines` has the other
convention.

References
----------
https://github.com/cocodataset/cocoapi, ``common/maskApi.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.annotations.areas import Area

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

_FINE = 5  # steps a pixel in which pycocotools follows an outline


def enclosed(outlines: Sequence[NDArray[np.float64]], size_hw: tuple[int, int]) -> Area:
    """Return the pixels that pycocotools gives for outlines, all together.

    The line of each outline is followed in fifths of a pixel; where it crosses the
    middle of a column, the pixels below change between in and out.

    Parameters
    ----------
    outlines : sequence of ndarray
        ``(N, 2)`` x and y; whole numbers are corners of pixels.
    size_hw : (int, int)
        Of the picture.
    """
    import numpy as np

    found = [_crossings(points, size_hw) for points in outlines]
    every = np.concatenate(found)
    if not every.size:
        return Area(0, 0, np.zeros((0, 0), np.bool_))
    height, width = size_hw
    left = int(every.min()) // height
    right = min(int(every.max() - 1) // height + 1, width)
    strip_hw = height, right - left
    mask = np.zeros(strip_hw, np.bool_)
    for crossings in found:
        mask |= _even_odd(crossings - left * height, strip_hw)
    rows = np.flatnonzero(mask.any(axis=1))
    if not rows.size:
        return Area(0, 0, mask[:0, :0])
    return Area(int(rows[0]), left, mask[rows[0] : rows[-1] + 1])


def _crossings(
    points: NDArray[np.float64], size_hw: tuple[int, int]
) -> NDArray[np.int64]:
    """Return where outlines cross the middles of columns, counted down the columns."""
    import numpy as np

    height, width = size_hw
    x, y = _line(np.trunc(points * _FINE + 0.5).astype(np.int64))
    moved = np.flatnonzero(x[1:] != x[:-1])
    column = (np.minimum(x[1:], x[:-1])[moved] + 0.5) / _FINE - 0.5
    row = (np.minimum(y[1:], y[:-1])[moved] + 0.5) / _FINE - 0.5
    taken = (column == np.floor(column)) & (column >= 0) & (column <= width - 1)
    row = np.ceil(np.clip(row[taken], 0, height))
    crossings: NDArray[np.int64] = (column[taken] * height + row).astype(np.int64)
    return crossings


def _line(corners: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all points of a closed line, one a step along its steeper direction."""
    import numpy as np

    ends = np.roll(corners, -1, axis=0)
    reach = np.abs(ends - corners)
    flat = reach[:, 0] >= reach[:, 1]
    main = np.where(flat, 0, 1)
    edge = np.arange(len(corners))
    # each edge is followed from its lower end, so that both directions give one line
    turned = corners[edge, main] > ends[edge, main]
    start = np.where(turned[:, None], ends, corners)
    stop = np.where(turned[:, None], corners, ends)
    steps = reach.max(axis=1)
    slope = (stop - start)[edge, 1 - main] / np.maximum(steps, 1)
    owner = np.repeat(edge, steps + 1)
    step = np.arange(owner.size) - np.repeat(
        np.cumsum(steps + 1) - steps - 1, steps + 1
    )
    step = np.where(turned[owner], steps[owner] - step, step)
    along = start[edge, main][owner] + step
    across = np.trunc(start[edge, 1 - main][owner] + slope[owner] * step + 0.5)
    across = across.astype(np.int64)
    is_flat = flat[owner]
    return np.where(is_flat, along, across), np.where(is_flat, across, along)


def _even_odd(
    crossings: NDArray[np.int64], size_hw: tuple[int, int]
) -> NDArray[np.bool_]:
    import numpy as np

    height, width = size_hw
    changes = np.bincount(crossings, minlength=height * width + 1)[: height * width]
    inside: NDArray[np.bool_] = (np.cumsum(changes) & 1).astype(np.bool_)
    return inside.reshape(width, height).T
