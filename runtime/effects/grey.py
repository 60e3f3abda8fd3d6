"""The subject in colour, what is behind it in grey: ``grey``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.drawing.background import BackgroundEffect

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.drawing.effect import Scene


class Grey(BackgroundEffect):
    """Takes the colour out of everything but the shown classes."""

    title = "Grey background"

    def background(self, scene: Scene) -> NDArray[np.uint8]:
        """Return the frame without colour; see `BackgroundEffect.background`."""
        import cv2
        import numpy as np

        grey = cv2.cvtColor(scene.frame, cv2.COLOR_RGB2GRAY)
        return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)


ADDRESS = AddressKind(Rest.NOTHING)
PLUGIN = Grey
