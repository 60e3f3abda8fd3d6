"""Frames turned as the user asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def rotated(frame: NDArray[np.uint8], degrees: int) -> NDArray[np.uint8]:
    """Return a frame turned clockwise.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8, left as it is.
    degrees : {0, 90, 180, 270}
        From `CaptureOptions.rotate`.

    Returns
    -------
    ndarray
        A new frame, or the same one where there is nothing to turn.
    """
    if degrees == 0:
        return frame
    import cv2
    import numpy as np

    code = {
        90: cv2.ROTATE_90_CLOCKWISE,
        180: cv2.ROTATE_180,
        270: cv2.ROTATE_90_COUNTERCLOCKWISE,
    }[degrees]
    return np.asarray(cv2.rotate(frame, code), np.uint8)
