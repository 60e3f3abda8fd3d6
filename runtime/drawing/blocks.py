"""A frame as the means of square blocks: all that privacy effects let through."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def side_of(shape: tuple[int, ...], blocks: int) -> int:
    """Return a block's side in pixels where `blocks` go along the shorter side."""
    return max(1, -(-min(shape[:2]) // blocks))


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
