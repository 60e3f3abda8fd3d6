"""From an output string to an open sink."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, PluginFolder

if TYPE_CHECKING:
    from edgeseg.runtime.output.sink import Sink, Style

SINKS = PluginFolder("sink", "edgeseg.runtime.sinks")

# the encrypted kind of a protocol is its sink's business
_SCHEMES = {"rtsps": "rtsp"}

# sinks whose name alone means a folder of that name, as it always has
_FOLDERS = frozenset({"overlay", "masks", "video"})


def open_sink(text: str, style: Style) -> Sink:
    """Open what a string names.

    Parameters
    ----------
    text : str
        A folder or picture file for overlays, a video file, a ``.jsonl`` file, ``-``
        for JSON lines on standard output; ``NAME:REST`` with the name of a sink, such
        as ``masks:ids/``; a URI such as ``mqtt://host``; or the name of a sink alone,
        such as ``null``, where no such file exists.
    style : Style
        How to draw and what to tell.

    Raises
    ------
    InputError
        The name's suffix is that of no known output.
    OutputError
        It cannot be written.
    """
    name, rest = _plugin_of(text)
    sink: Sink = SINKS.load(name)(rest, style)
    return sink


def _plugin_of(text: str) -> tuple[str, str]:
    """Return the sink's name and what it is told."""
    name, colon, rest = text.partition(":")
    plugin = _SCHEMES.get(name, name)
    if plugin in SINKS.names():
        if rest.startswith("//"):
            return plugin, text
        if colon or not (Path(text).exists() or name in _FOLDERS):
            return plugin, rest
    return _kind_of(text), text


def _kind_of(text: str) -> str:
    from edgeseg.runtime.pictures.files import SUFFIXES as PICTURES

    suffix = Path(text).suffix.lower()
    if suffix in PICTURES and "://" not in text:
        return "overlay"
    from edgeseg.runtime.sinks.video import SUFFIXES as VIDEOS

    if text == "-" or suffix in (".jsonl", ".ndjson"):
        return "jsonl"
    if suffix in VIDEOS:
        return "video"
    if "://" in text:
        raise InputError(
            f"cannot write to {text}: expected the scheme of one of "
            f"{', '.join(SINKS.names())}"
        )
    if not suffix or text.endswith("/") or Path(text).is_dir():
        return "overlay"
    raise InputError(
        f"cannot tell what to write to {text}: expected a folder, a picture "
        f"({', '.join(sorted(PICTURES))}), a video ({', '.join(VIDEOS)}), a .jsonl "
        f"file, or NAME:PATH with one of {', '.join(SINKS.names())}"
    )
