"""Which frames of a source are segmented."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.runtime.capture.source import Capture, Source
    from edgeseg.runtime.pipeline.options import PipelineOptions

# A camera's frames come a little early or late. A frame that is this part of its own
# interval early is still the one that was meant.
_EARLY = 0.25


class Selection:
    """Chooses one frame of so many, and so many a second by their time stamps.

    Parameters
    ----------
    options : PipelineOptions
        Which frames are wanted.
    source : Source
        Gives the frame rate, and whether its time stamps are those of a recording.
    """

    def __init__(self, options: PipelineOptions, source: Source) -> None:
        self._options = options
        self._early_s = _EARLY / source.fps if source.fps else 0.0
        # pictures of a folder have no time that could be too close
        self._is_still = source.fps is None and not source.live
        self._is_recording = source.fps is not None and not source.live
        self._index = 0
        self._slot = 0

    def takes(self, capture: Capture) -> bool:
        """Return whether a frame is wanted; called once for each, in order."""
        index, self._index = self._index, self._index + 1
        if index % self._options.every:
            return False
        if self._options.fps is None or self._is_still:
            return True
        place = (capture.time_s + self._early_s) * self._options.fps
        if place < self._slot:
            return False
        self._slot = math.floor(place) + 1
        return True

    def is_past(self, capture: Capture) -> bool:
        """Return whether a recording has been played for as long as was asked for."""
        seconds = self._options.seconds
        return self._is_recording and seconds is not None and capture.time_s >= seconds
