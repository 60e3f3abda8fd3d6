"""The classes' colours alone, on black: ``mask``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.drawing.effect import Effect

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.drawing.effect import Scene


class Mask(Effect):
    """Paints every shown class in its colour and all else black."""

    title = "Classes only"
    pointwise = True

    def draw(self, scene: Scene) -> NDArray[np.uint8]:
        """Return the colours; see `Effect.draw`."""
        import numpy as np

        table = np.where(scene.shown[:, None], scene.colours, 0).astype(np.uint8)
        return np.take(table, scene.ids, axis=0)


ADDRESS = AddressKind(Rest.NOTHING)
PLUGIN = Mask
