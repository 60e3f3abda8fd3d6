"""Privacy: the shown classes in large squares: ``pixelate`` or ``pixelate:BLOCKS``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.drawing.blocks import areas_by_side, block_means, side_of, spread
from edgeseg.runtime.drawing.effect import Effect, Strength
from edgeseg.runtime.drawing.matte import reach_of, subject
from edgeseg.runtime.drawing.open_effect import whole_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.drawing.effect import Scene


class Pixelate(Effect):
    """Fills every block that holds a shown class, or is beside one, with its mean.

    What a network misses stays visible. A block's side is a sixth of the area's shorter
    side or larger, whatever number is given; see `areas_by_side`.

    Parameters
    ----------
    text : str
        Blocks along the picture's shorter side at most, 2 to 100; 16 if empty.
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

        size_hw = scene.ids.shape[0], scene.ids.shape[1]
        drawn = scene.frame.copy()
        least = side_of(size_hw, self._blocks)
        for side, mask in areas_by_side(subject(scene), least):
            blocks = spread(block_means(scene.frame, side), side, size_hw, smooth=False)
            touched = spread(_touched(mask, side), side, size_hw, smooth=False)
            cv2.copyTo(blocks, touched, drawn)
        return drawn


def _touched(mask: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return 255 for every block within a few pixels of the subject, else 0.

    A dilation whose kernel is a block and its surroundings, looked at in the block's
    first pixel, is the maximum over all of them.
    """
    import cv2
    import numpy as np

    margin = 2 * reach_of(mask.shape)
    kernel = np.ones((side + 2 * margin, side + 2 * margin), np.uint8)
    widest = cv2.dilate(mask, kernel, anchor=(margin, margin))
    return np.ascontiguousarray(widest[::side, ::side])


ADDRESS = AddressKind(Rest.TEXT)
PLUGIN = Pixelate
