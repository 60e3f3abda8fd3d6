"""From a source string to an open source."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, PluginFolder

if TYPE_CHECKING:
    from edgeseg.runtime.sources._base import Source

SOURCES = PluginFolder("source", "edgeseg.runtime.sources")


def open_source(text: str) -> Source:
    """Open what a string names.

    Parameters
    ----------
    text : str
        A picture, a folder, a glob pattern, a video file, or ``NAME:REST`` with the
        name of a source, such as ``synthetic:640x480``.

    Raises
    ------
    InputError
        There is nothing of that name, or it cannot be read.
    """
    name, colon, rest = text.partition(":")
    if not colon or name not in SOURCES.names():
        name, rest = _kind_of(text), text
    source: Source = SOURCES.load(name)(rest)
    return source


def _kind_of(text: str) -> str:
    from edgeseg.runtime.pictures import SUFFIXES

    path = Path(text)
    if path.is_dir() or (glob.has_magic(text) and not path.exists()):
        return "folder"
    if not path.exists():
        raise InputError(
            f"no such file, folder or source: {text} (sources: "
            f"{', '.join(SOURCES.names())})"
        )
    return "image" if path.suffix.lower() in SUFFIXES else "video"
