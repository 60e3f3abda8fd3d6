"""The subject before another picture: ``picture:FILE``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.drawing.background import BackgroundEffect

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.drawing.effect import Scene


class PictureBackground(BackgroundEffect):
    """Shows a picture behind the shown classes.

    It fills the frame with its aspect kept; what is too much at two opposite sides is
    cut off evenly.

    Parameters
    ----------
    text : str
        The picture's file, read once.
    """

    title = "Picture background"

    def __init__(self, text: str) -> None:
        from edgeseg.runtime.pictures.files import read_picture

        if not text:
            raise InputError(
                "expected a file after the effect's name, such as picture:beach.jpg"
            )
        self._picture = read_picture(Path(text))
        self._fitted = self._picture

    def background(self, scene: Scene) -> NDArray[np.uint8]:
        """Return the picture; see `BackgroundEffect.background`."""
        if self._fitted.shape != scene.frame.shape:
            self._fitted = _cover(self._picture, scene.frame.shape[:2])
        return self._fitted


def _cover(picture: NDArray[np.uint8], size_hw: tuple[int, ...]) -> NDArray[np.uint8]:
    """Cut a picture's middle out in the shape of `size_hw` and scale it to that."""
    import cv2
    import numpy as np

    height, width = picture.shape[:2]
    scale = min(height / size_hw[0], width / size_hw[1])
    tall, wide = max(1, round(size_hw[0] * scale)), max(1, round(size_hw[1] * scale))
    top, left = (height - tall) // 2, (width - wide) // 2
    middle = picture[top : top + tall, left : left + wide]
    how = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    fitted = cv2.resize(middle, (size_hw[1], size_hw[0]), interpolation=how)
    return np.asarray(fitted, np.uint8)


ADDRESS = AddressKind(Rest.FILE)
PLUGIN = PictureBackground
