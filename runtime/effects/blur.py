"""The subject sharp, what is behind it blurred: ``blur`` or ``blur:STRENGTH``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.drawing.background import BackgroundEffect
from edgeseg.runtime.drawing.effect import Strength
from edgeseg.runtime.drawing.matte import reach_of, subject
from edgeseg.runtime.drawing.open_effect import whole_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.drawing.effect import Scene


class Blur(BackgroundEffect):
    """Blurs everything but the shown classes.

    Only background goes into the blur: each pixel becomes the weighted mean of the
    background pixels around it, so that a subject's colours do not glow around it.

    Parameters
    ----------
    text : str
        Strength, 1 to 100; 30 if empty. The Gaussian's deviation is that many
        1500ths of the picture's shorter side, so that a stream looks the same at
        every resolution.
    """

    title = "Blur background"
    strength = Strength("Strength", 1, 100, 30)

    def __init__(self, text: str = "") -> None:
        self._strength = whole_number(
            "blur", text, what="a strength", within=self.strength
        )

    def background(self, scene: Scene) -> NDArray[np.uint8]:
        """Return the blurred background; see `BackgroundEffect.background`."""
        import cv2
        import numpy as np

        height, width = scene.ids.shape
        sigma = min(height, width) * self._strength / 1500
        step = _step(sigma)
        small_wh = max(1, width // step), max(1, height // step)
        weight = cv2.bitwise_not(_with_rim(scene))
        behind = cv2.bitwise_and(scene.frame, cv2.merge([weight] * 3))
        blurred = _gaussian(behind, small_wh, sigma / step)
        blurred /= np.maximum(_gaussian(weight, small_wh, sigma / step), 1e-3)[
            ..., None
        ]
        small = (blurred * 255 + 0.5).clip(0, 255).astype(np.uint8)
        return np.asarray(cv2.resize(small, (width, height)), np.uint8)


def _step(sigma: float) -> int:
    """Return the factor by which a picture may be smaller while it is blurred.

    After scaling back it looks like one that was blurred whole. Powers of
    two, because OpenCV shrinks by those without interpolating.
    """
    return next(step for step in (8, 4, 2, 1) if sigma >= 1.2 * step or step == 1)


def _with_rim(scene: Scene) -> NDArray[np.uint8]:
    """Return the subject and the rim that networks tend to miss."""
    import cv2
    import numpy as np

    size = 4 * reach_of(scene.ids.shape) + 1
    wide = cv2.dilate(subject(scene), np.ones((size, size), np.uint8))
    return np.asarray(wide, np.uint8)


def _gaussian(
    picture: NDArray[np.uint8], size_wh: tuple[int, int], sigma: float
) -> NDArray[np.float32]:
    import cv2
    import numpy as np

    small = cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(
        small.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REFLECT
    )
    return np.asarray(blurred, np.float32)


ADDRESS = AddressKind(Rest.TEXT)
PLUGIN = Blur
