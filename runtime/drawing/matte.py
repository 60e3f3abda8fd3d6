"""Which pixels are the subject, and how much: the soft edge all effects share."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from edgeseg.runtime.drawing.guided_filter import guided_opacity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.drawing.effect import Scene


def subject(scene: Scene) -> NDArray[np.uint8]:
    """Return ``(H, W)`` uint8: 255 where a class is to be seen, else 0."""
    import cv2
    import numpy as np

    return np.asarray(cv2.LUT(scene.ids, scene.shown.astype(np.uint8) * 255), np.uint8)


def reach_of(shape: tuple[int, ...]) -> int:
    """Return how many pixels a soft edge spans to either side: 1 % of a picture."""
    return max(1, min(shape[:2]) // 100)


def matte(scene: Scene) -> NDArray[np.uint8]:
    """Return the subject's opacity, with the edge that the scene asks for.

    Returns
    -------
    ndarray
        ``(H, W)`` uint8: 255 inside, 0 outside, between them near the subject's
        border: for ``smooth`` edges within `reach_of` pixels.
    """
    mask = subject(scene)
    if scene.edges == "hard":
        return mask
    return (
        guided_opacity(scene.frame, mask) if scene.edges == "guided" else smooth(mask)
    )


def smooth(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the opacity of a subject, smooth along the edge of the ids.

    The ids of a small network run in steps of several pixels. Blurring the subject
    rounds the steps off; a steep ramp around the half makes the edge narrow again.

    Parameters
    ----------
    mask : ndarray
        ``(H, W)`` uint8, as `subject` returns it.
    """
    import cv2
    import numpy as np

    size = 2 * reach_of(mask.shape) + 1
    soft = cv2.GaussianBlur(mask, (size, size), 0, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.LUT(soft, _ramp()), np.uint8)


def veil(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the opacity of what covers the subject: whole on each of its pixels.

    Reaches outwards where `matte` is on the border itself, because networks tend to
    miss a rim of what they find.

    Parameters
    ----------
    mask : ndarray
        ``(H, W)`` uint8 of the subject, as `subject` returns it.

    Returns
    -------
    ndarray
        ``(H, W)`` uint8: 255 on the subject and a little around it, fading to 0 within
        four times `reach_of` pixels.
    """
    import cv2
    import numpy as np

    reach = reach_of(mask.shape)
    wide = cv2.dilate(mask, np.ones((6 * reach + 1, 6 * reach + 1), np.uint8))
    size = 2 * reach + 1
    soft = cv2.GaussianBlur(wide, (size, size), 0, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(soft, np.uint8)


@lru_cache(maxsize=1)
def _ramp() -> NDArray[np.uint8]:
    """Return ``(256,)`` uint8 that spreads the middle half over 0..255."""
    import numpy as np

    return (np.arange(256) * 2.0 - 127.5).clip(0, 255).astype(np.uint8)
