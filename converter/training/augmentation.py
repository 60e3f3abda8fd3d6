"""Other pictures of the same things: where they lie, and how they are lit.

Pure functions of arrays and a generator. Picture and mask go through one affine map,
so that they cannot come apart: the picture linearly, the mask by its nearest pixel.
What lies outside of the picture is the letterbox's grey there and void here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.runtime.accuracy.matching import VOID

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Scales around the size that the letterbox gives
SMALLEST, LARGEST = 0.5, 2.0


@dataclass(frozen=True)
class View:
    """The part of a picture that the network is shown.

    Parameters
    ----------
    scale : float
        Pixels of the canvas a pixel of the picture takes.
    offset_yx : (float, float)
        Where the picture's top left corner lies on the canvas, in its pixels.
    flip : bool
        Left and right exchanged.
    """

    scale: float
    offset_yx: tuple[float, float] = (0.0, 0.0)
    flip: bool = False


def letterbox_scale(picture_hw: tuple[int, int], canvas_hw: tuple[int, int]) -> float:
    """Return the scale at which a picture just fits a canvas.

    Examples
    --------
    >>> letterbox_scale((100, 200), (50, 50))
    0.25
    """
    return min(c / p for c, p in zip(canvas_hw, picture_hw, strict=True))


def random_view(
    rng: np.random.Generator, picture_hw: tuple[int, int], canvas_hw: tuple[int, int]
) -> View:
    """Return a view of random scale, place and handedness.

    A picture larger than the canvas is cut at random, a smaller one placed at random.

    Parameters
    ----------
    rng : numpy.random.Generator
        Seeded.
    picture_hw, canvas_hw : (int, int)
        Heights and widths in pixels.
    """
    import numpy as np

    zoom = float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))))
    scale = letterbox_scale(picture_hw, canvas_hw) * zoom
    rooms = [c - p * scale for c, p in zip(canvas_hw, picture_hw, strict=True)]
    top, left = (float(rng.uniform(min(room, 0), max(room, 0))) for room in rooms)
    return View(scale, (top, left), bool(rng.random() < 0.5))


def take_view(
    frame: NDArray[np.uint8],
    ids: NDArray[np.uint8],
    view: View,
    canvas_hw: tuple[int, int],
    pad: int = 127,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return what a view shows of a picture and of its mask.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB.
    ids : ndarray
        ``(H, W)`` uint8 class ids, 255 void.
    view : View
        Of that picture.
    canvas_hw : (int, int)
        Height and width of the result.
    pad : int
        Value of pixels outside of the picture.

    Returns
    -------
    frame, ids : ndarray
        ``(*canvas_hw, 3)`` and ``canvas_hw``, uint8.
    """
    import cv2
    import numpy as np

    height, width = canvas_hw
    # from centres of the canvas' pixels to those of the picture's
    step, (top, left) = 1 / view.scale, view.offset_yx
    x, y = (0.5 - left) * step - 0.5, (0.5 - top) * step - 0.5
    across = step
    if view.flip:
        across, x = -step, (width - 0.5 - left) * step - 0.5
    matrix = np.array([[across, 0.0, x], [0.0, step, y]])
    common = {"borderMode": cv2.BORDER_CONSTANT}
    shown = cv2.warpAffine(
        frame,
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderValue=(pad, pad, pad),
        **common,
    )
    truth = cv2.warpAffine(
        ids,
        matrix,
        (width, height),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
        borderValue=VOID,
        **common,
    )
    return np.asarray(shown, np.uint8), np.asarray(truth, np.uint8)
