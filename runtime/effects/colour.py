"""The subject before one colour: ``colour:#RRGGBB``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.drawing.background import BackgroundEffect
from edgeseg.runtime.drawing.open_effect import hex_colour

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.drawing.effect import Scene


class Colour(BackgroundEffect):
    """Paints everything but the shown classes in one colour.

    Parameters
    ----------
    text : str
        ``#RRGGBB``, with or without the ``#``.
    """

    title = "Colour background"
    takes_colour = True

    def __init__(self, text: str) -> None:
        self._colour = hex_colour("colour", text)

    def background(self, scene: Scene) -> NDArray[np.uint8]:
        """Return the colour; see `BackgroundEffect.background`."""
        import numpy as np

        return np.full(scene.frame.shape, self._colour, np.uint8)


ADDRESS = AddressKind(Rest.TEXT)
PLUGIN = Colour
