"""Overlay pictures: ``overlay:DIR`` or one file, ``overlay:picture.png``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.address import FOLDER, PICTURES, AddressKind, Rest
from edgeseg.runtime.output.picture_folder import PictureFolder
from edgeseg.runtime.output.recording.dated_name import DatedName, literal
from edgeseg.runtime.output.recording.options import picture_options
from edgeseg.runtime.output.recording.snapshots import Snapshots
from edgeseg.runtime.output.sink import Sink
from edgeseg.runtime.pictures.files import SUFFIXES, write_bands, writing_bands

if TYPE_CHECKING:
    from edgeseg.devices.types import Json
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
        A folder, or a file name with a picture's suffix for a single picture. In a file
        name codes of strftime stand for the frame's time: then, or with options behind
        the name, it is one of many; see `Snapshots`.
    style : Style
        How to draw.
    """

    def __init__(self, text: str, style: Style) -> None:
        place, given = ADDRESS.split(text)
        self._is_file = Path(place).suffix.lower() in SUFFIXES
        if given and not self._is_file:
            raise InputError(
                f"?{given[0]}: expected the name of a picture before it, such as "
                f"{place.rstrip('/')}/%Y%m%d-%H%M%S.jpg; got a folder"
            )
        self._path = Path(place)
        self._snapshots: Snapshots | None = None
        if self._is_file:
            name = DatedName(place)
            self._path = Path(literal(place))
            if given or name.is_dated:
                options = picture_options(given)
                self._snapshots = Snapshots(name, options, style.manifest)
        self._folder = PictureFolder(self._path)
        self._style = style
        self._single = ExitStack()  # at its end, a file that is named takes its place
        self._written = 0

    def has(self, name: str) -> bool:
        """Return whether the picture's overlay is there."""
        path = self._path if self._is_file else self._folder.path_of(name)
        return self._snapshots is None and path.is_file()

    @property
    def state(self) -> Json:
        """Whether there is room on the disk for pictures with dated names."""
        return {} if self._snapshots is None else self._snapshots.state

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Draw and write one picture."""
        height = capture.frame.shape[0]
        if not self._is_file:
            bands = self._style.draw_bands(capture, segmentation, alpha=True)
            self._folder.write(
                capture.name, lambda path: write_bands(path, bands, height)
            )
            return
        keeps_alpha = self._path.suffix.lower() == ".png"
        if self._snapshots is not None:

            def write(path: Path) -> None:
                bands = self._style.draw_bands(capture, segmentation, alpha=keeps_alpha)
                write_bands(path, bands, height)

            self._snapshots.take(capture, segmentation, write)
            return
        self._written += 1
        if self._written > 1:
            with self._single:  # ends it with the error: the file gets no name
                raise InputError(
                    "expected a folder for several pictures, got the file "
                    f"{self._path}: -o {self._path.stem}/"
                )
        bands = self._style.draw_bands(capture, segmentation, alpha=keeps_alpha)
        self._single.enter_context(writing_bands(self._path, bands, height))

    def check(self) -> None:
        """Raise `OutputError` if the folder was removed."""
        self._folder.check()

    def close(self) -> None:
        """Give a file that is named its name, unless more than one picture came."""
        self._single.close()


ADDRESS = AddressKind(
    Rest.FILE_OR_FOLDER,
    bare=(*PICTURES, FOLDER),
    inside=(".png",),
    options="?",
    name_is_path=True,
    dated=True,
)
PLUGIN = OverlaySink
