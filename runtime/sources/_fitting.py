"""Frames brought to one size."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def fitted(frame: NDArray[np.uint8], size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a frame scaled into a size, its aspect kept, the rest black.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB.
    size_wh : (int, int)
        Width and height of the result.

    Examples
    --------
    >>> import numpy as np
    >>> wide = fitted(np.full((50, 100, 3), 255, np.uint8), (40, 40))
    >>> wide.shape, int(wide[0].max()), int(wide[20].min())
    ((40, 40, 3), 0, 255)
    """
    height, width = frame.shape[:2]
    if (width, height) == size_wh:
        return frame
    import cv2
    import numpy as np

    scale = min(size_wh[0] / width, size_wh[1] / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    left, top = (size_wh[0] - inner[0]) // 2, (size_wh[1] - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        frame, inner, interpolation=method
    )
    return canvas
