"""Class ids as palette PNGs: ``masks:DIR``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.drawing.overlay import colour_table
from edgeseg.runtime.output.picture_folder import PictureFolder
from edgeseg.runtime.output.sink import Sink
from edgeseg.runtime.pictures.files import write_ids

if TYPE_CHECKING:
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.segmentation.segmenter import Segmentation


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
        self._folder = PictureFolder(Path(text))
        self._table = colour_table(style.manifest.palette)

    def has(self, name: str) -> bool:
        """Return whether the picture's mask is there."""
        return self._folder.path_of(name).is_file()

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Write one mask."""
        self._folder.write(
            capture.name, lambda path: write_ids(path, segmentation.ids, self._table)
        )

    def check(self) -> None:
        """Raise `OutputError` if the folder was removed."""
        self._folder.check()


ADDRESS = AddressKind(Rest.FOLDER, inside=(".png",), name_is_path=True)
PLUGIN = MasksSink
