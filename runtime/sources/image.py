"""A single picture file: ``photo.jpg`` or ``image:photo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.runtime.address import PICTURES, AddressKind, Rest
from edgeseg.runtime.capture.source import AS_IT_COMES, Capture, CaptureOptions, Source
from edgeseg.runtime.capture.upright import rotated
from edgeseg.runtime.pictures.files import read_picture

if TYPE_CHECKING:
    from collections.abc import Iterator


class ImageSource(Source):
    """One picture; a picture that cannot be read is an error at once.

    Parameters
    ----------
    text : str
        Path of the file.
    options : CaptureOptions
        Gives the rotation.
    """

    def __init__(self, text: str, options: CaptureOptions = AS_IT_COMES) -> None:
        self._rotate = options.rotate
        self._path = Path(text)

    @property
    def count(self) -> int:
        """One."""
        return 1

    @property
    def fps(self) -> None:
        """None: a still picture."""
        return None

    def names(self) -> tuple[str, ...]:
        """Return the file's name without suffix."""
        return (self._path.stem,)

    @property
    def files(self) -> tuple[Path, ...]:
        """The picture."""
        return (self._path,)

    def captures(self, skip: frozenset[str] = frozenset()) -> Iterator[Capture]:
        """Give the picture."""
        if self._path.stem not in skip:
            frame = rotated(read_picture(self._path), self._rotate)
            yield Capture(frame, self._path.stem, 0.0)


ADDRESS = AddressKind(Rest.FILE, bare=PICTURES)
PLUGIN = ImageSource
