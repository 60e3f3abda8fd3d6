"""A frame as the means of square blocks: all that privacy effects let through.

How much of a face its blocks show depends on how many there are across the face, not
across the frame. Every area has blocks of its own size for that reason: at most six of
them fit across it, because eyes and mouth can be told apart from about eight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_ACROSS = 6  # blocks that fit across an area's shorter side at most
_MARGIN = 20  # areas nearer than two such parts of the frame's shorter side are one
_STEPS = 40  # sides are multiples of such a part, so that they change rarely
_COARSE = 96  # pixels along the shorter side of the picture that areas are found in


def side_of(shape: tuple[int, ...], blocks: int) -> int:
    """Return a block's side in pixels where `blocks` go along the shorter side."""
    return max(1, -(-min(shape[:2]) // blocks))


def areas_by_side(
    mask: NDArray[np.uint8], least: int
) -> list[tuple[int, NDArray[np.uint8]]]:
    """Return how large the blocks of each area must be.

    Pieces that are near each other are one area, since a network may find a face in
    pieces. An area's size is that of its box, with a margin.

    Parameters
    ----------
    mask : ndarray
        ``(H, W)`` uint8: 255 where something is to be hidden, else 0.
    least : int
        Pixels that a block's side has at least.

    Returns
    -------
    list of (int, ndarray)
        A block's side in pixels, and the mask of the areas that have such blocks; the
        smallest side first. Empty where the mask is.
    """
    import cv2
    import numpy as np

    shortest = min(mask.shape)
    scale = max(1, shortest // _COARSE)
    # the maximum of every square, so that no piece gets lost
    kernel = np.ones((scale, scale), np.uint8)
    coarse = cv2.dilate(mask, kernel, anchor=(0, 0))[::scale, ::scale]
    margin = -(-shortest // (_MARGIN * scale))
    joined = cv2.dilate(coarse, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(joined)
    across = boxes[:, cv2.CC_STAT_WIDTH : cv2.CC_STAT_HEIGHT + 1].min(axis=1) * scale
    step = max(1, shortest // _STEPS)
    sides = np.maximum(least, -(-across // (_ACROSS * step)) * step)
    found = sorted({int(side) for side in sides[1:]})
    if len(found) < 2:
        return [(side, mask) for side in found]
    of_pixel = np.where(labels > 0, sides[labels], 0).astype(np.int32)
    large = of_pixel.repeat(scale, axis=0).repeat(scale, axis=1)
    large = large[: mask.shape[0], : mask.shape[1]]
    return [(side, np.where(large == side, mask, np.uint8(0))) for side in found]


def block_means(frame: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return the mean colour of every block.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8. Blocks that reach over its edge are filled up with its
        last row or column.
    side : int
        Pixels.

    Returns
    -------
    ndarray
        ``(ceil(H / side), ceil(W / side), 3)`` uint8.
    """
    import cv2
    import numpy as np

    height, width = frame.shape[:2]
    padded = cv2.copyMakeBorder(
        frame, 0, -height % side, 0, -width % side, cv2.BORDER_REPLICATE
    )
    size_wh = padded.shape[1] // side, padded.shape[0] // side
    return np.asarray(cv2.resize(padded, size_wh, interpolation=cv2.INTER_AREA))


def spread(
    means: NDArray[np.uint8], side: int, size_hw: tuple[int, int], *, smooth: bool
) -> NDArray[np.uint8]:
    """Return a picture of `size_hw` made of block means alone.

    Parameters
    ----------
    means : ndarray
        From `block_means`, or one channel of such a shape.
    side : int
        Pixels, as there.
    size_hw : (int, int)
        Height and width of the frame they were taken of.
    smooth : bool
        Fade from block to block instead of showing squares.
    """
    import cv2
    import numpy as np

    rows, columns = means.shape[:2]
    how = cv2.INTER_CUBIC if smooth else cv2.INTER_NEAREST
    large = cv2.resize(means, (columns * side, rows * side), interpolation=how)
    return np.ascontiguousarray(large[: size_hw[0], : size_hw[1]])
