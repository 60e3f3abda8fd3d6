"""The contract of a sink: something that takes segmented pictures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices._closing import Closing
from edgeseg.runtime.overlay import draw_overlay

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.manifest import Manifest
    from edgeseg.runtime.segmenter import Segmentation
    from edgeseg.runtime.sources import Capture


@dataclass(frozen=True)
class Style:
    """What all sinks of a run know.

    Parameters
    ----------
    manifest : Manifest
        Labels and colours.
    alpha : float
        Strength of an overlay's tint, 0..1.
    contours, legend : bool
        Draw borders; write the names of the classes found.
    shapes : {"none", "polygons", "rle"}
        What JSON lines tell of each class's area.
    fps : float or None
        Frames a second of the source.
    resume : bool
        Keep what is there and add to it.
    """

    manifest: Manifest
    alpha: float = 0.5
    contours: bool = False
    legend: bool = False
    shapes: str = "none"
    fps: float | None = None
    resume: bool = False

    def draw(self, capture: Capture, segmentation: Segmentation) -> NDArray[np.uint8]:
        """Return the overlay ``(H, W, 3)`` uint8 RGB of one picture."""
        return draw_overlay(
            capture.frame,
            segmentation,
            self.manifest,
            alpha=self.alpha,
            contours=self.contours,
            with_legend=self.legend,
        )


class Sink(Closing, ABC):
    """Takes pictures with their classes, in order.

    ``PLUGIN(text, style)`` opens what the string says or raises `OutputError` or
    `InputError`. A sink never changes what it is given. Whoever opened a sink closes
    it; `close` may be called twice, also after an error, and leaves behind only what
    is whole.
    """

    @abstractmethod
    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Take one picture."""

    def has(self, name: str) -> bool:
        """Return whether the result for a capture's name is already there."""
        return False
