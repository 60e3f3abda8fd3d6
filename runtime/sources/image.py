"""A single picture file: ``photo.jpg`` or ``image:photo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.runtime.pictures import read_picture
from edgeseg.runtime.sources._base import Capture, Source

if TYPE_CHECKING:
    from collections.abc import Iterator


class ImageSource(Source):
    """One picture; a picture that cannot be read is an error at once.

    Parameters
    ----------
    text : str
        Path of the file.
    """

    def __init__(self, text: str) -> None:
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

    def captures(self, skip: frozenset[str] = frozenset()) -> Iterator[Capture]:
        """Give the picture."""
        if self._path.stem not in skip:
            yield Capture(read_picture(self._path), self._path.stem, 0.0)


PLUGIN = ImageSource
