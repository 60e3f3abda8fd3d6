"""From an output string to an open sink."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, PluginFolder

if TYPE_CHECKING:
    from edgeseg.runtime.sinks._base import Sink, Style

SINKS = PluginFolder("sink", "edgeseg.runtime.sinks")


def open_sink(text: str, style: Style) -> Sink:
    """Open what a string names.

    Parameters
    ----------
    text : str
        A folder or picture file for overlays, a video file, a ``.jsonl`` file, ``-``
        for JSON lines on standard output, or ``NAME:REST`` with the name of a sink,
        such as ``masks:ids/`` or ``null:``.
    style : Style
        How to draw and what to tell.

    Raises
    ------
    InputError
        The name's suffix is that of no known output.
    OutputError
        It cannot be written.
    """
    name, colon, rest = text.partition(":")
    if not colon or name not in SINKS.names():
        name, rest = _kind_of(text), text
    sink: Sink = SINKS.load(name)(rest, style)
    return sink


def _kind_of(text: str) -> str:
    from edgeseg.runtime.pictures import SUFFIXES as PICTURES
    from edgeseg.runtime.sinks.video import SUFFIXES as VIDEOS

    suffix = Path(text).suffix.lower()
    if text == "-" or suffix in (".jsonl", ".ndjson"):
        return "jsonl"
    if suffix in VIDEOS:
        return "video"
    if suffix in PICTURES or not suffix or text.endswith("/") or Path(text).is_dir():
        return "overlay"
    raise InputError(
        f"cannot tell what to write to {text}: expected a folder, a picture "
        f"({', '.join(sorted(PICTURES))}), a video ({', '.join(VIDEOS)}), a .jsonl "
        f"file, or NAME:PATH with one of {', '.join(SINKS.names())}"
    )
