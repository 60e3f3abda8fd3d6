"""Nothing is kept: ``null``, or ``null:overlay`` which draws before; for timing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.output.sink import Sink

if TYPE_CHECKING:
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.segmentation.segmenter import Segmentation


class NullSink(Sink):
    """Drops what it is given.

    Parameters
    ----------
    text : str
        Empty, or ``overlay``: every picture is drawn and then dropped.
    style : Style
        How to draw.

    Raises
    ------
    InputError
        The text is something else.
    """

    def __init__(self, text: str, style: Style) -> None:
        if text not in ("", "overlay"):
            raise InputError(f"null: expected null or null:overlay, got null:{text}")
        self._style = style if text else None

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Drop one picture."""
        if self._style is not None:
            self._style.draw(capture, segmentation)


ADDRESS = AddressKind(Rest.TEXT)
PLUGIN = NullSink
