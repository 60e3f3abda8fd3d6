"""The contract of a sink: something that takes segmented pictures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeseg.devices.base import Closing
from edgeseg.runtime.drawing.look import Look
from edgeseg.runtime.drawing.open_effect import is_private
from edgeseg.runtime.drawing.overlay import on_black
from edgeseg.runtime.drawing.painter import Painter
from edgeseg.runtime.pipeline.stopping import RunControls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.model.manifest import Manifest
    from edgeseg.runtime.pipeline.meter import Meter
    from edgeseg.runtime.segmentation.segmenter import Segmentation
    from edgeseg.runtime.zones.line import Line
    from edgeseg.runtime.zones.zone import Zone


@dataclass(frozen=True)
class Style:
    """What all sinks of a run know, and the painter that they share.

    Parameters
    ----------
    manifest : Manifest
        Labels and colours.
    look : Look
        How pictures are drawn.
    shapes : {"none", "polygons", "rle"}
        How JSON lines describe each class's area.
    fps : float or None
        Frames a second that sinks are given; None where there is no such rate.
    resume : bool
        Keep what is there and add to it.
    meter : Meter or None
        Counts and times of the run.
    unlock_privacy : bool
        Whoever sees a page may change an effect that is there for privacy.
    live : bool
        Whether the source is, so that the run has no end of its own.
    sound : Path or None
        File whose sound belongs to the frames.
    zones, lines : tuple of Zone, tuple of Line
        What the run watches; see `Watch`.
    model : Path or None
        The model's file, for sinks that say which it is.

    Attributes
    ----------
    painter : Painter
        Draws for all sinks.
    controls : RunControls
        Where sinks that take commands change the look of all sinks, and pause the run.
    """

    manifest: Manifest
    look: Look = field(default_factory=Look)
    shapes: str = "none"
    fps: float | None = None
    resume: bool = False
    meter: Meter | None = None
    unlock_privacy: bool = False
    live: bool = False
    sound: Path | None = None
    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    model: Path | None = None
    painter: Painter = field(init=False, repr=False, compare=False)
    controls: RunControls = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        painter = Painter(self.manifest, self.meter, self.zones, self.lines)
        object.__setattr__(self, "painter", painter)
        object.__setattr__(self, "controls", RunControls(self.look))

    def draw(
        self, capture: Capture, segmentation: Segmentation, look: Look | None = None
    ) -> NDArray[np.uint8]:
        """Return a frame drawn as the look says, what it cuts out on black.

        Parameters
        ----------
        capture : Capture
            The frame.
        segmentation : Segmentation
            Of that frame.
        look : Look or None
            In place of that of the controls, which is the style's own at first.

        Returns
        -------
        ndarray
            ``(H, W, 3)`` uint8 RGB. Other sinks are given the same array: it must not
            be changed.
        """
        drawn = self.draw_alpha(capture, segmentation, look)
        return on_black(drawn) if drawn.shape[2] == 4 else drawn

    def draw_alpha(
        self, capture: Capture, segmentation: Segmentation, look: Look | None = None
    ) -> NDArray[np.uint8]:
        """Return what `draw` does, with an alpha channel where the effect gives one."""
        return self.painter.draw(capture, segmentation, look or self.controls.look)

    def draw_bands(
        self, capture: Capture, segmentation: Segmentation, *, alpha: bool
    ) -> Iterator[NDArray[np.uint8]]:
        """Yield what `draw`, or with alpha `draw_alpha`, returns, from top to bottom.

        A sink that needs no more than one piece at a time spares the memory of a large
        picture.
        """
        look = self.controls.look
        for band in self.painter.draw_bands(capture, segmentation, look):
            yield on_black(band) if band.shape[2] == 4 and not alpha else band

    @property
    def is_locked(self) -> bool:
        """Whether effect and classes must stay as they are, for privacy."""
        return is_private(self.look.effect) and not self.unlock_privacy


class Sink(Closing, ABC):
    """Takes pictures with their classes, in order, in one thread.

    ``PLUGIN(text, style)`` opens what the string says or raises `OutputError` or
    `InputError`; ``ADDRESS`` says whether that is a file, a folder or a network
    address. A sink never changes what it is given. Whoever opened a sink closes
    it; `close` may be called twice, also after an error and from another thread, and
    leaves behind only what is whole.
    """

    @abstractmethod
    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Take one picture."""

    def has(self, name: str) -> bool:
        """Return whether the result for a capture's name is already there."""
        return False

    def check(self) -> None:
        """Raise what a worker of the sink's own has failed with.

        Called between pictures, also where none come.
        """
        return None

    @property
    def state(self) -> Json:
        """State of a sink that connects, or needs a disk; empty for all others.

        JSON values: ``connected`` (bool), ``reconnects`` (int) and ``error`` (str or
        None).
        """
        return {}

    @property
    def live(self) -> bool:
        """Whether the sink may leave out frames; then `write` never waits."""
        return False

    @property
    def finished(self) -> bool:
        """Whether whoever looks has had enough, as by closing a window.

        The run then ends in order.
        """
        return False
