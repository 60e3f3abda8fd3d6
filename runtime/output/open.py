"""From an output string to an open sink."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, PluginFolder, UnknownPluginError
from edgeseg.runtime.address import FOLDER, STDOUT, AddressBook

if TYPE_CHECKING:
    from edgeseg.runtime.address import Address
    from edgeseg.runtime.output.sink import Sink, Style

SINKS = PluginFolder("sink", "edgeseg.runtime.sinks")
_OPTIONS = re.compile(r"\?[A-Za-z_]\w*=[^/?]*$")
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
    address = address or _bare(text, folder)
    if address is None:
        raise InputError(
            f"cannot tell what to write to {text}: expected a folder, a file that ends "
            f"in {', '.join(SINK_ADDRESSES.suffixes())}, or NAME:PATH with one of "
            f"{', '.join(SINKS.names())}"
        )
    return address


def joined(text: str, folder: Path) -> str:
    """Return an output string with a relative path below a folder.

    Raises
    ------
    InputError, UnknownPluginError
        See `find_sink`.
    """
    address = find_sink(text, folder)
    if address.path is None or os.path.isabs(address.path):
        return text
    above = str(folder)
    if is_dated(address):
        above = above.replace("%", "%%")
    ending = "/" if address.path.endswith("/") else ""  # says that it is a folder
    return address.with_path(f"{Path(above, address.path)}{ending}")


def is_dated(address: Address) -> bool:
    """Return whether codes of strftime are read in an output's path."""
    return address.kind.dated and not address.is_folder


def folder_of(address: Address) -> Path | None:
    """Return the folder that an output's files are in, None where there are none.

    Where folders have dates in their names, it is the one above them.

    Examples
    --------
    >>> folder_of(find_sink("there/%Y/door.mkv?keep=7d")), folder_of(find_sink("null"))
    (PosixPath('there'), None)
    """
    if address.path is None:
        return None
    if is_dated(address):
        # a run without recordings does without these modules
        from edgeseg.runtime.output.recording.dated_name import DatedName

        return DatedName(address.path).folder
    path = Path(address.path)
    return path if address.is_folder else path.parent


def _bare(text: str, folder: Path) -> Address | None:
    """Return the address of a bare path, which may have options at its end."""
    path = text
    if not os.path.exists(folder / text):
        path = _OPTIONS.sub("", text)
    address = SINK_ADDRESSES.bare(text, *_signs(path, folder / path), folder=folder)
    if path != text and (address is None or not address.tail):
        return None  # no plugin that takes options
    return address


def _signs(text: str, path: Path) -> tuple[str, ...]:
    """Return what a bare path is, or will be, as `AddressKind.bare` has it."""
    suffix = path.suffix.lower()
    if text == STDOUT:
        return (STDOUT,)
    if not suffix or text.endswith("/") or os.path.isdir(path):
        return (suffix, FOLDER)
    return (suffix,)
