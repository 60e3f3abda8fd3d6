"""Overlay pictures: ``overlay:DIR`` or one file, ``overlay:picture.png``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.address import FOLDER, PICTURES, AddressKind, Rest
from edgeseg.runtime.output.picture_folder import PictureFolder
from edgeseg.runtime.output.sink import Sink
from edgeseg.runtime.pictures.files import SUFFIXES, write_bands, writing_bands

if TYPE_CHECKING:
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.segmentation.segmenter import Segmentation


class OverlaySink(Sink):
    """Writes each picture with its classes tinted, as PNG unless a file is named.

    A file that is named gets its name at the end: of a source that gives more than
    one picture, it gets none.

    Parameters
    ----------
    text : str
        A folder, or a file name with a picture's suffix for a single picture.
    style : Style
        How to draw.
    """

    def __init__(self, text: str, style: Style) -> None:
        self._path = Path(text)
        self._is_file = self._path.suffix.lower() in SUFFIXES
        self._folder = PictureFolder(self._path)
        self._style = style
        self._single = ExitStack()  # at its end, a file that is named takes its place
        self._written = 0

    def has(self, name: str) -> bool:
        """Return whether the picture's overlay is there."""
        path = self._path if self._is_file else self._folder.path_of(name)
        return path.is_file()

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Draw and write one picture."""
        height = capture.frame.shape[0]
        if not self._is_file:
            bands = self._style.draw_bands(capture, segmentation, alpha=True)
            self._folder.write(
                capture.name, lambda path: write_bands(path, bands, height)
            )
            return
        self._written += 1
        if self._written > 1:
            with self._single:  # ends it with the error: the file gets no name
                raise InputError(
                    "expected a folder for several pictures, got the file "
                    f"{self._path}: -o {self._path.stem}/"
                )
        keeps_alpha = self._path.suffix.lower() == ".png"
        bands = self._style.draw_bands(capture, segmentation, alpha=keeps_alpha)
        self._single.enter_context(writing_bands(self._path, bands, height))

    def check(self) -> None:
        """Raise `OutputError` if the folder was removed."""
        self._folder.check()

    def close(self) -> None:
        """Give a file that is named its name, unless more than one picture came."""
        self._single.close()


ADDRESS = AddressKind(
    Rest.FILE_OR_FOLDER, bare=(*PICTURES, FOLDER), inside=(".png",), name_is_path=True
)
PLUGIN = OverlaySink
