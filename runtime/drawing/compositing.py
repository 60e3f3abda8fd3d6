"""One picture over another, alike on every processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def compose(
    front: NDArray[np.uint8], back: NDArray[np.uint8], opacity: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Lay one picture over another.

    OpenCV's ``multiply`` with a scale rounds on x86-64 and truncates on aarch64, where
    two of them would darken a picture by up to two steps; ``blendLinear`` rounds on
    both.

    Parameters
    ----------
    front, back : ndarray
        ``(H, W, 3)`` uint8 RGB.
    opacity : ndarray
        ``(H, W)`` uint8: at 255 the result is `front`, at 0 `back`, bit for bit.

    Returns
    -------
    ndarray
        A new ``(H, W, 3)`` uint8 picture.
    """
    import cv2
    import numpy as np

    weight = cv2.LUT(opacity, np.arange(256, dtype=np.float32) / 255)
    return np.asarray(cv2.blendLinear(front, back, weight, 1 - weight), np.uint8)
