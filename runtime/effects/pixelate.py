"""Privacy: the shown classes in large squares: ``pixelate`` or ``pixelate:BLOCKS``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.drawing.blocks import block_means, side_of, spread
from edgeseg.runtime.drawing.effect import Effect, Strength
from edgeseg.runtime.drawing.matte import reach_of, subject
from edgeseg.runtime.drawing.open_effect import whole_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.drawing.effect import Scene


class Pixelate(Effect):
    """Fills every block that holds a shown class, or is beside one, with its mean.

    What a network misses stays visible.

    Parameters
    ----------
    text : str
        Blocks along the picture's shorter side, 2 to 100; 16 if empty.
    """

    title = "Pixelate classes"
    private = True
    strength = Strength("Blocks", 2, 100, 16)

    def __init__(self, text: str = "") -> None:
        self._blocks = whole_number(
            "pixelate", text, what="a count of blocks", within=self.strength
        )

    def draw(self, scene: Scene) -> NDArray[np.uint8]:
        """Return the frame with blocks in it; see `Effect.draw`."""
        import cv2

        height, width = scene.ids.shape
        side = side_of(scene.ids.shape, self._blocks)
        means = block_means(scene.frame, side)
        blocks = spread(means, side, (height, width), smooth=False)
        touched = spread(_touched(scene, side), side, (height, width), smooth=False)
        drawn = scene.frame.copy()
        cv2.copyTo(blocks, touched, drawn)
        return drawn


def _touched(scene: Scene, side: int) -> NDArray[np.uint8]:
    """Return 255 for every block within a few pixels of the subject, else 0.

    A dilation whose kernel is a block and its surroundings, looked at in the block's
    first pixel, is the maximum over all of them.
    """
    import cv2
    import numpy as np

    margin = 2 * reach_of(scene.ids.shape)
    kernel = np.ones((side + 2 * margin, side + 2 * margin), np.uint8)
    widest = cv2.dilate(subject(scene), kernel, anchor=(margin, margin))
    return np.ascontiguousarray(widest[::side, ::side])


ADDRESS = AddressKind(Rest.TEXT)
PLUGIN = Pixelate
