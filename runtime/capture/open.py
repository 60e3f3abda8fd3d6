"""From a source string to an open source."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, PluginFolder
from edgeseg.runtime.capture.source import AS_IT_COMES, CaptureOptions

if TYPE_CHECKING:
    from edgeseg.runtime.capture.source import Source

SOURCES = PluginFolder("source", "edgeseg.runtime.sources")

# the encrypted kind of a protocol is its source's business
_SCHEMES = {"https": "http", "rtsps": "rtsp"}


def open_source(text: str, options: CaptureOptions = AS_IT_COMES) -> Source:
    """Open what a string names.

    Parameters
    ----------
    text : str
        A picture, a folder, a glob pattern, a video file; ``NAME:REST`` with the name
        of a source, such as ``camera:0``; a URI such as ``rtsp://host/stream``; or
        the name of a source alone, where no such file exists.
    options : CaptureOptions
        Size, frame rate and rotation.

    Raises
    ------
    InputError
        There is nothing of that name, or it cannot be read.
    """
    name, rest = _plugin_of(text)
    source: Source = SOURCES.load(name)(rest, options)
    return source


def _plugin_of(text: str) -> tuple[str, str]:
    """Return the source's name and what it is told."""
    name, colon, rest = text.partition(":")
    plugin = _SCHEMES.get(name, name)
    if plugin in SOURCES.names():
        if rest.startswith("//"):
            return plugin, text
        if colon or not Path(text).exists():
            return plugin, rest
    return _kind_of(text), text


def _kind_of(text: str) -> str:
    from edgeseg.runtime.pictures.files import SUFFIXES

    path = Path(text)
    if path.is_dir() or (glob.has_magic(text) and not path.exists()):
        return "folder"
    if not path.exists():
        raise InputError(
            f"no such file, folder or source: {text} (sources: "
            f"{', '.join(SOURCES.names())})"
        )
    return "image" if path.suffix.lower() in SUFFIXES else "video"
