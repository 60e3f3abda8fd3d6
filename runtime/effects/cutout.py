"""The subject alone, on nothing: ``cutout``, for PNG files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.drawing.effect import Effect
from edgeseg.runtime.drawing.matte import matte

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.drawing.effect import Scene


class Cutout(Effect):
    """Makes everything but the shown classes transparent."""

    title = "Cut out"

    def draw(self, scene: Scene) -> NDArray[np.uint8]:
        """Return ``(H, W, 4)``: alpha is not premultiplied; see `Effect.draw`."""
        import cv2
        import numpy as np

        opacity = matte(scene)
        drawn = cv2.merge([*cv2.split(scene.frame), opacity])
        # colour under full transparency would still be in the file
        return np.asarray(cv2.copyTo(drawn, opacity), np.uint8)


ADDRESS = AddressKind(Rest.NOTHING)
PLUGIN = Cutout
