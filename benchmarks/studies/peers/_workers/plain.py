"""The way examples feed a network and read it: float arrays, every step in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    Size = tuple[int, int]
    Array = NDArray[Any]  # of any dtype
    Frame = NDArray[np.uint8]  # (H, W, 3) RGB
    Times = dict[str, float]  # milliseconds of each stage
    Loop = Callable[[Frame], tuple[Array, Times]]
    Settings = dict[str, Any]  # JSON


def letterbox(frame: Frame, size_hw: Size) -> tuple[Array, Size]:
    """Scale a picture into the input size, pad with 127, and normalize.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8.
    size_hw : (int, int)
        Height and width of the network's input in pixels.

    Returns
    -------
    ndarray
        ``(1, *size_hw, 3)`` float32, ``pixel / 127.5 - 1``.
    (int, int)
        Height and width of the picture on it, top left.
    """
    import numpy as np

    canvas, inside_hw = letterboxed(frame, size_hw)
    return (canvas.astype(np.float32) / 127.5 - 1.0)[None], inside_hw


def letterboxed(frame: Frame, size_hw: Size) -> tuple[Array, Size]:
    """Return ``(*size_hw, 3)`` uint8 and the picture's size on it; see `letterbox`."""
    import cv2
    import numpy as np

    scale = min(size_hw[0] / frame.shape[0], size_hw[1] / frame.shape[1])
    height, width = round(frame.shape[0] * scale), round(frame.shape[1] * scale)
    canvas = np.full((*size_hw, 3), 127, np.uint8)
    canvas[:height, :width] = cv2.resize(frame, (width, height))
    return canvas, (height, width)


def labels_of(scores: Array, inside_hw: Size, picture_hw: Size) -> Array:
    """Crop the padding, upsample all classes to the picture, take the largest.

    Parameters
    ----------
    scores : ndarray
        ``(H, W, C)`` float32 at the network's input size.
    inside_hw : (int, int)
        Height and width of the picture on it, top left.
    picture_hw : (int, int)
        Height and width of the picture.

    Returns
    -------
    ndarray
        ``(*picture_hw,)`` uint8.
    """
    import cv2
    import numpy as np

    cropped = np.ascontiguousarray(scores[: inside_hw[0], : inside_hw[1]])
    size_wh = picture_hw[::-1]
    upsampled = cv2.resize(cropped, size_wh, interpolation=cv2.INTER_LINEAR)
    labels: Array = np.argmax(upsampled, axis=-1).astype(np.uint8)
    return labels


def scaled_ids(ids: Array, inside_hw: Size, picture_hw: Size) -> Array:
    """Crop the padding from class ids and scale them to the picture, unsmoothed.

    Parameters
    ----------
    ids : ndarray
        ``(H, W)`` of an integer type at the network's input size.
    inside_hw, picture_hw : (int, int)
        See `labels_of`.
    """
    import cv2
    import numpy as np

    cropped = ids[: inside_hw[0], : inside_hw[1]].astype(np.uint8)
    size_wh = picture_hw[::-1]
    scaled: Array = cv2.resize(cropped, size_wh, interpolation=cv2.INTER_NEAREST)
    return scaled


def stages(*stamps: float) -> Times:
    """Return milliseconds between four stamps of `time.perf_counter`."""
    names = ("preprocess", "invoke", "postprocess")
    pairs = zip(names, stamps[:-1], stamps[1:], strict=True)
    return {name: 1000 * (end - start) for name, start, end in pairs}
