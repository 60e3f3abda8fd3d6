"""From an output string to an open sink."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, PluginFolder, UnknownPluginError
from edgeseg.runtime.address import FOLDER, STDOUT, AddressBook

if TYPE_CHECKING:
    from edgeseg.runtime.address import Address
    from edgeseg.runtime.output.sink import Sink, Style

SINKS = PluginFolder("sink", "edgeseg.runtime.sinks")
SINK_ADDRESSES = AddressBook(SINKS)


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
        How to draw, and what JSON lines hold.

    Raises
    ------
    InputError
        The name's suffix is that of no known output.
    UnknownPluginError
        No sink has that name; see `find_sink`.
    OutputError
        It cannot be written.
    """
    sink: Sink = SINK_ADDRESSES.open(find_sink(text), style)
    return sink


def find_sink(text: str, folder: Path = Path()) -> Address:
    """Return what an output string names.

    Parameters
    ----------
    text : str
        As `open_sink` takes it.
    folder : Path
        Where relative paths begin.

    Raises
    ------
    InputError
        It is no output.
    UnknownPluginError
        It reads ``NAME:REST`` without a sink of that name, and no such path exists.
    """
    address = SINK_ADDRESSES.named(text, folder)
    if address is None and "://" in text:
        raise InputError(
            f"cannot write to {text}: expected the scheme of one of "
            f"{', '.join(SINK_ADDRESSES.names())}{SINK_ADDRESSES.suggestion(text)}"
        )
    if address is None and SINK_ADDRESSES.is_misspelt(text, folder):
        hint = SINK_ADDRESSES.suggestion(text)
        raise UnknownPluginError(
            f"unknown sink in {text!r}; known: {', '.join(SINKS.names())}{hint} "
            f"(for a path of that name write ./{text})"
        )
    address = address or SINK_ADDRESSES.bare(text, *_signs(text, folder / text))
    if address is None:
        raise InputError(
            f"cannot tell what to write to {text}: expected a folder, a file that ends "
            f"in {', '.join(SINK_ADDRESSES.suffixes())}, or NAME:PATH with one of "
            f"{', '.join(SINKS.names())}"
        )
    return address


def _signs(text: str, path: Path) -> tuple[str, ...]:
    """Return what a bare path is, or will be, as `AddressKind.bare` has it."""
    suffix = path.suffix.lower()
    if text == STDOUT:
        return (STDOUT,)
    if not suffix or text.endswith("/") or os.path.isdir(path):
        return (suffix, FOLDER)
    return (suffix,)
