"""Another light and another camera: colours, blur, noise and compression.

Pure functions of frames ``(H, W, 3)`` uint8 RGB and a seeded generator; the shape
stays, and no pixel moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# How often the rarer changes happen
_GREY, _BLUR, _NOISE, _JPEG = 0.05, 0.1, 0.1, 0.1


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
