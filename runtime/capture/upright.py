"""Frames turned as the user or a video file asks, and brought to one size."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Module


_TURNS = (0, 90, 180, 270)
_NARROWEST = 0.2  # a pixel; what is beyond is a damaged header
_SQUARE = 0.005  # off by less than a pixel in 200 is square


def take_over_rotation(video: Module) -> int:
    """Keep OpenCV from turning a video, and return what is to be turned instead.

    Phones record as the sensor is mounted, and note in the file how to turn it. Most
    releases of OpenCV do so unasked, 4.11 does not: done here it is always the same.

    Parameters
    ----------
    video : cv2.VideoCapture
        One that is open and has given no frame yet.

    Returns
    -------
    {0, 90, 180, 270}
        Degrees, clockwise, for `rotated`. Other angles and mirrored pictures are left
        as they are, as OpenCV does.
    """
    import cv2

    if not video.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0):
        return 0  # this reader turns nothing: a camera's, or GStreamer's
    degrees = round(video.get(cv2.CAP_PROP_ORIENTATION_META)) % 360
    return degrees if degrees in _TURNS else 0


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


def displayed(frame: NDArray[np.uint8], aspect: float) -> NDArray[np.uint8]:
    """Return a frame whose pixels are square, without losing any.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8.
    aspect : float
        Width of a pixel over its height, as in anamorphic videos.

    Examples
    --------
    >>> import numpy as np
    >>> displayed(np.zeros((576, 720, 3), np.uint8), 64 / 45).shape
    (576, 1024, 3)
    """
    height, width = frame.shape[:2]
    if not _NARROWEST <= aspect <= 1 / _NARROWEST or abs(aspect - 1) < _SQUARE:
        return frame
    import cv2
    import numpy as np

    wide = aspect > 1
    size = (round(width * aspect), height) if wide else (width, round(height / aspect))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR), np.uint8)


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
