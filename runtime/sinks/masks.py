"""Class ids as palette PNGs: ``masks:DIR``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.runtime.overlay import colour_table
from edgeseg.runtime.pictures import write_ids
from edgeseg.runtime.sinks._base import Sink

if TYPE_CHECKING:
    from edgeseg.runtime.segmenter import Segmentation
    from edgeseg.runtime.sinks._base import Style
    from edgeseg.runtime.sources import Capture


class MasksSink(Sink):
    """Writes each picture's ids; the palette shows them in the classes' colours.

    Parameters
    ----------
    text : str
        A folder.
    style : Style
        Gives the palette.
    """

    def __init__(self, text: str, style: Style) -> None:
        self._folder = Path(text)
        self._table = colour_table(style.manifest.palette)

    def has(self, name: str) -> bool:
        """Return whether the picture's mask is there."""
        return (self._folder / f"{name}.png").is_file()

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Write one mask."""
        path = self._folder / f"{capture.name}.png"
        write_ids(path, segmentation.ids, self._table)


PLUGIN = MasksSink
