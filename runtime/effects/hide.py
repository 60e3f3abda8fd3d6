"""Privacy: the shown classes blurred past recognition: ``hide[:STRENGTH]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.drawing.blocks import block_means, side_of, spread
from edgeseg.runtime.drawing.compositing import compose
from edgeseg.runtime.drawing.effect import Effect, Strength
from edgeseg.runtime.drawing.matte import veil
from edgeseg.runtime.drawing.open_effect import whole_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.drawing.effect import Scene


class Hide(Effect):
    """Covers the shown classes with a smooth picture of very few colours.

    A Gaussian blur can be undone in part. Here the frame is first reduced to the means
    of large blocks and only those are drawn, faded into each other: no pixel under the
    cover and nothing finer than a block is left. What a network misses stays visible.

    Parameters
    ----------
    text : str
        Strength, 1 to 100; 80 if empty. That many 500ths of the picture's shorter
        side make the side of a block.
    """

    title = "Hide classes"
    private = True
    strength = Strength("Strength", 1, 100, 80)

    def __init__(self, text: str = "") -> None:
        strength = whole_number("hide", text, what="a strength", within=self.strength)
        self._blocks = max(1, 500 // strength)

    def draw(self, scene: Scene) -> NDArray[np.uint8]:
        """Return the frame with the classes covered; see `Effect.draw`."""
        height, width = scene.ids.shape
        side = side_of(scene.ids.shape, self._blocks)
        means = block_means(scene.frame, side)
        cover = spread(means, side, (height, width), smooth=True)
        return compose(cover, scene.frame, veil(scene))


ADDRESS = AddressKind(Rest.TEXT)
PLUGIN = Hide
