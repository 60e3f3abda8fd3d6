"""The frame with its classes tinted: ``overlay``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.drawing.effect import Effect

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.drawing.effect import Scene


class Overlay(Effect):
    """Tints every pixel of a shown class; all others stay exactly as they are."""

    title = "Overlay"
    tints = True
    pointwise = True

    def draw(self, scene: Scene) -> NDArray[np.uint8]:
        """Return the tinted frame; see `Effect.draw`."""
        from edgeseg.runtime.drawing.overlay import blend

        return blend(
            scene.frame,
            scene.ids,
            scene.colours,
            alpha=scene.alpha,
            shown=scene.shown,
        )


ADDRESS = AddressKind(Rest.NOTHING)
PLUGIN = Overlay
