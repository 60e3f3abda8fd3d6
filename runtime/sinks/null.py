"""Nothing is kept: ``null:``, for timing and trying."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.sinks._base import Sink

if TYPE_CHECKING:
    from edgeseg.runtime.segmenter import Segmentation
    from edgeseg.runtime.sinks._base import Style
    from edgeseg.runtime.sources import Capture


class NullSink(Sink):
    """Drops what it is given.

    Parameters
    ----------
    text : str
        Ignored.
    style : Style
        Ignored.
    """

    def __init__(self, text: str, style: Style) -> None:
        del text, style

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Drop one picture."""
        return None


PLUGIN = NullSink
