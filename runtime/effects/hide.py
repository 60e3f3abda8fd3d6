"""Privacy: the shown classes blurred past recognition: ``hide[:STRENGTH]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.drawing.blocks import areas_by_side, block_means, side_of, spread
from edgeseg.runtime.drawing.compositing import compose
from edgeseg.runtime.drawing.effect import Effect, Strength
from edgeseg.runtime.drawing.matte import subject, veil
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

    A block's side is a sixth of the area's shorter side or larger at every strength;
    see `areas_by_side`.

    Parameters
    ----------
    text : str
        Strength, 1 to 100; 80 if empty. That many 500ths of the picture's shorter
        side are what the side of a block has at least.
    """

    title = "Hide classes"
    private = True
    strength = Strength("Strength", 1, 100, 80)

    def __init__(self, text: str = "") -> None:
        strength = whole_number("hide", text, what="a strength", within=self.strength)
        self._blocks = max(1, 500 // strength)

    def draw(self, scene: Scene) -> NDArray[np.uint8]:
        """Return the frame with the classes covered; see `Effect.draw`."""
        size_hw = scene.ids.shape[0], scene.ids.shape[1]
        drawn = scene.frame.copy()
        least = side_of(size_hw, self._blocks)
        for side, mask in areas_by_side(subject(scene), least):
            means = block_means(scene.frame, side)
            cover = spread(means, side, size_hw, smooth=True)
            drawn = compose(cover, drawn, veil(mask))
        return drawn


ADDRESS = AddressKind(Rest.TEXT)
PLUGIN = Hide
