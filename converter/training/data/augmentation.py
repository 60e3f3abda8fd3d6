"""Augmentation: random scale, place and mirroring, and random colours.

Pure functions of arrays and a generator. Picture and mask go through one affine map,
so that they cannot come apart: the picture linearly, the mask by its nearest pixel.
Outside of the picture the frame has the letterbox's grey and the mask is void. Colours,
blur, noise and compression then change frames ``(H, W, 3)`` uint8 RGB in place of
another light and another camera; no pixel moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.runtime.model.labels import VOID

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


ZOOM = 2.0  # largest scale, and one over the smallest, of what the letterbox gives
# How often the rarer changes happen
_GREY, _BLUR, _NOISE, _JPEG = 0.05, 0.1, 0.1, 0.1


@dataclass(frozen=True)
class View:
    """The part of a picture that the network is shown.

    Parameters
    ----------
    scale : float
        Pixels of the canvas a pixel of the picture takes.
    offset_yx : (float, float)
        Where the picture's top left corner is on the canvas, in its pixels.
    flip : bool
        Left and right exchanged.
    """

    scale: float
    offset_yx: tuple[float, float] = (0.0, 0.0)
    flip: bool = False

    def lines(self, width: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return place and step of the canvas' rows and columns in the picture.

        Row ``i`` of the canvas shows the picture's row ``place + i * step``, from
        centre to centre of pixels.

        Parameters
        ----------
        width : int
            Of the canvas.

        Examples
        --------
        >>> View(2.0, (0.0, 0.0)).lines(8)
        ((-0.25, 0.5), (-0.25, 0.5))
        """
        step, (top, left) = 1 / self.scale, self.offset_yx
        rows = ((0.5 - top) * step - 0.5, step)
        if self.flip:
            return rows, ((width - 0.5 - left) * step - 0.5, -step)
        return rows, ((0.5 - left) * step - 0.5, step)

    def picture_coordinates(
        self, canvas_hw: tuple[int, int], every: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return which rows and columns of the picture a canvas shows.

        Parameters
        ----------
        canvas_hw : (int, int)
            Height and width of the canvas.
        every : int
            Take one in so many rows and columns, from the first on.

        Returns
        -------
        rows, columns : ndarray
            Float64, from centre to centre of pixels; less than -0.5 and more than the
            last one's 0.5 beyond is outside of the picture.
        """
        import numpy as np

        (top, down), (left, across) = self.lines(canvas_hw[1])
        rows = np.arange(0, canvas_hw[0], every, dtype=np.float64)
        columns = np.arange(0, canvas_hw[1], every, dtype=np.float64)
        return top + down * rows, left + across * columns


def letterbox_scale(picture_hw: tuple[int, int], canvas_hw: tuple[int, int]) -> float:
    """Return the scale at which a picture just fits a canvas.

    Examples
    --------
    >>> letterbox_scale((100, 200), (50, 50))
    0.25
    """
    return min(c / p for c, p in zip(canvas_hw, picture_hw, strict=True))


def random_view(
    rng: np.random.Generator,
    picture_hw: tuple[int, int],
    canvas_hw: tuple[int, int],
    zoom: float = ZOOM,
) -> View:
    """Return a view of random scale, place and handedness.

    A picture larger than the canvas is cut at random, a smaller one placed at random.

    Parameters
    ----------
    rng : numpy.random.Generator
        Seeded.
    picture_hw, canvas_hw : (int, int)
        Heights and widths in pixels.
    zoom : float
        Scales are between 1 / zoom and zoom times the one that just fits.
    """
    scale = _random_scale(rng, picture_hw, canvas_hw, 1 / zoom, zoom)
    rooms = [c - p * scale for c, p in zip(canvas_hw, picture_hw, strict=True)]
    top, left = (float(rng.uniform(min(room, 0), max(room, 0))) for room in rooms)
    return View(scale, (top, left), bool(rng.random() < 0.5))


def view_of(
    rng: np.random.Generator,
    pixel_yx: tuple[int, int],
    picture_hw: tuple[int, int],
    canvas_hw: tuple[int, int],
    zoom: float = ZOOM,
) -> View:
    """Return a view that shows a certain pixel, enlarged or just fitting.

    Parameters
    ----------
    rng : numpy.random.Generator
        Seeded.
    pixel_yx : (int, int)
        Row and column of the pixel in the picture.
    picture_hw, canvas_hw : (int, int)
        Heights and widths in pixels.
    zoom : float
        The scale is between 1 and zoom times the one that just fits.
    """
    scale = _random_scale(rng, picture_hw, canvas_hw, 1.0, zoom)
    offsets = []
    for at, picture, canvas in zip(pixel_yx, picture_hw, canvas_hw, strict=True):
        room = canvas - picture * scale
        wanted = float(rng.uniform(0, canvas)) - (at + 0.5) * scale
        offsets.append(min(max(wanted, min(room, 0)), max(room, 0)))
    return View(scale, (offsets[0], offsets[1]), bool(rng.random() < 0.5))


def _random_scale(
    rng: np.random.Generator,
    picture_hw: tuple[int, int],
    canvas_hw: tuple[int, int],
    least: float,
    most: float,
) -> float:
    """Return a scale between so many times the one that just fits."""
    import numpy as np

    chosen = float(np.exp(rng.uniform(np.log(least), np.log(most))))
    return letterbox_scale(picture_hw, canvas_hw) * chosen


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
    (y, step), (x, across) = view.lines(width)
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


def random_colours(
    frame: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return a frame as another camera might have taken it.

    Brightness, contrast, saturation and hue always change a little; grey, blur, noise
    and coarse JPEG are rare.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB, left as it is.
    rng : numpy.random.Generator
        Seeded.
    """
    frame = shift_light(frame, rng.uniform(-32, 32), rng.uniform(0.7, 1.3))
    if rng.random() < _GREY:
        frame = saturate(frame, 0.0)
    else:
        frame = turn_hue(saturate(frame, rng.uniform(0.6, 1.4)), rng.uniform(-10, 10))
    if rng.random() < _BLUR:
        frame = blur(frame, rng.uniform(0.4, 1.5))
    if rng.random() < _NOISE:
        frame = add_noise(frame, rng, rng.uniform(2, 12))
    if rng.random() < _JPEG:
        frame = compress(frame, int(rng.integers(25, 80)))
    return frame


def shift_light(
    frame: NDArray[np.uint8], brightness: float, contrast: float
) -> NDArray[np.uint8]:
    """Return ``(pixel - 127.5) * contrast + 127.5 + brightness``, clipped.

    Examples
    --------
    >>> import numpy as np
    >>> shift_light(np.full((1, 1, 3), 100, np.uint8), 10, 1.0)[0, 0].tolist()
    [110, 110, 110]
    """
    import cv2
    import numpy as np

    values = (np.arange(256) - 127.5) * contrast + 127.5 + brightness
    table = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(frame, table), np.uint8)


def saturate(frame: NDArray[np.uint8], strength: float) -> NDArray[np.uint8]:
    """Return a frame moved from (1) towards grey (0), or away from it (above 1).

    The grey is ITU-R BT.601's, as OpenCV weighs it.
    """
    import cv2
    import numpy as np

    grey = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    mixed = cv2.addWeighted(frame, strength, grey, 1 - strength, 0)
    return np.asarray(mixed, np.uint8)


def turn_hue(frame: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    """Return a frame whose colours are turned around the grey axis.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB.
    degrees : float
        Angle of the rotation.
    """
    import cv2
    import numpy as np

    angle = np.deg2rad(degrees)
    axis = np.full(3, 3**-0.5)
    # Rodrigues' formula around (1, 1, 1)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) * axis[0]
    matrix = (
        np.cos(angle) * np.eye(3)
        + np.sin(angle) * cross
        + (1 - np.cos(angle)) * np.outer(axis, axis)
    )
    return np.asarray(cv2.transform(frame, matrix), np.uint8)


def blur(frame: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """Return a frame out of focus by a Gaussian of `sigma` pixels."""
    import cv2
    import numpy as np

    return np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma), np.uint8)


def add_noise(
    frame: NDArray[np.uint8], rng: np.random.Generator, spread: float
) -> NDArray[np.uint8]:
    """Return a frame with Gaussian noise of a standard deviation in pixel values."""
    import numpy as np

    grain = rng.standard_normal(frame.shape, np.float32) * np.float32(spread)
    return np.clip(frame + grain, 0, 255).astype(np.uint8)


def compress(frame: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return a frame after JPEG compression of a quality 1..100."""
    import cv2
    import numpy as np

    # OpenCV takes the channels for blue first; which is which matters to neither side
    _, coded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
