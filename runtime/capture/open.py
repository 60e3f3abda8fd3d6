"""From a source string to an open source."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, PluginFolder
from edgeseg.devices.plain_files import check_file_or_folder
from edgeseg.runtime.address import (
    ANY_FILE,
    FOLDER,
    PATTERN,
    PICTURES,
    AddressBook,
)
from edgeseg.runtime.capture.source import AS_IT_COMES, CaptureOptions
from edgeseg.runtime.pictures.formats import picture_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.runtime.address import Address
    from edgeseg.runtime.capture.source import Source

SOURCES = PluginFolder("source", "edgeseg.runtime.sources")
SOURCE_ADDRESSES = AddressBook(SOURCES)


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
    address = find_source(text)
    if address is not None and address.path is not None and not address.head:
        check_file_or_folder(address.path)
    if address is None:
        raise InputError(
            f"no such file, folder or source: {text} (sources: "
            f"{', '.join(SOURCES.names())}){SOURCE_ADDRESSES.suggestion(text)}"
        )
    source: Source = SOURCE_ADDRESSES.open(address, options)
    return source


@dataclass(frozen=True)
class Inputs:
    """What a run reads.

    Parameters
    ----------
    files : sequence of Path
        Every file of the source.
    names : sequence of str
        Names of its captures, which files in an output folder are named after.
    place : str or None
        The folder or glob pattern that the files were found by.
    others : sequence of Path
        Further files: the model, labels, the configuration.
    """

    files: Sequence[Path]
    names: Sequence[str] = ()
    place: str | None = None
    others: Sequence[Path] = field(default=())


def inputs_of(text: str, source: Source, others: Sequence[Path] = ()) -> Inputs:
    """Return what a run reads, for `check_outputs`.

    Parameters
    ----------
    text : str
        As `open_source` takes it.
    source : Source
        What it has opened.
    others : sequence of Path
        Further files that are read.
    """
    address = find_source(text)
    path = None if address is None else address.path
    is_file = path is None or os.path.isfile(path)
    files = source.files or ((Path(path),) if path and is_file else ())
    place = None if is_file else path
    return Inputs(files, source.names(), place, others)


def find_source(text: str, folder: Path = Path()) -> Address | None:
    """Return what a source string names, None where there is no such thing.

    Parameters
    ----------
    text : str
        As `open_source` takes it.
    folder : Path
        Where relative paths begin.
    """
    named = SOURCE_ADDRESSES.named(text, folder)
    if named is None and SOURCE_ADDRESSES.is_misspelt(text, folder):
        return None
    return named or SOURCE_ADDRESSES.bare(text, *_signs(text, folder / text))


def _signs(text: str, path: Path) -> tuple[str, ...]:
    """Return what a bare path is, as `AddressKind.bare` has it."""
    if os.path.isdir(path):  # pathlib raises where a name is too long
        return (FOLDER,)
    if os.path.exists(path):
        still = PICTURES[:1] if picture_format(path) else ()  # whatever it is called
        return (path.suffix.lower(), *still, ANY_FILE)
    return (PATTERN,) if glob.has_magic(text) else ()
