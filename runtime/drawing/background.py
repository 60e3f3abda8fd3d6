"""The contract of effects that leave the subject alone and change what is behind."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from edgeseg.runtime.drawing.compositing import compose
from edgeseg.runtime.drawing.effect import Effect
from edgeseg.runtime.drawing.matte import matte

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.drawing.effect import Scene


class BackgroundEffect(Effect):
    """Puts the subject, bit for bit and with a soft edge, before another background."""

    @abstractmethod
    def background(self, scene: Scene) -> NDArray[np.uint8]:
        """Return what is seen behind the subject: ``(H, W, 3)`` uint8 RGB."""

    def draw(self, scene: Scene) -> NDArray[np.uint8]:
        """Return the subject before `background`; see `Effect.draw`."""
        return compose(scene.frame, self.background(scene), matte(scene))
