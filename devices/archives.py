"""ZIP archives from elsewhere: opened and read with one kind of error."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO

# What zipfile raises on what is no archive, or a damaged one
DAMAGED: tuple[type[BaseException], ...] = (
    EOFError,
    NotImplementedError,  # a later version of the format
    OSError,
    OverflowError,
    RuntimeError,  # encrypted
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
# The others take as much memory as an archive asks for
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def open_archive(file: Path | IO[bytes]) -> zipfile.ZipFile:
    """Open an archive to read it.

    Raises
    ------
    zipfile.BadZipFile
        It is none, or damaged.
    OSError
        The file cannot be read.
    """
    try:
        return zipfile.ZipFile(file)
    except OSError:
        raise
    except DAMAGED as error:
        raise zipfile.BadZipFile(str(error)) from error


def read_entry(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return the content of a file in an archive.

    Parameters
    ----------
    archive : ZipFile
        From `open_archive`.
    name : str
        Of the file in it.
    limit : int
        Bytes that the content may have.

    Raises
    ------
    KeyError
        There is no such file.
    zipfile.BadZipFile
        It is damaged, encrypted, too long or packed by another method than deflate.
    """
    info = archive.getinfo(name)
    if info.file_size > limit:
        raise zipfile.BadZipFile(f"its {name} is over {limit} bytes")
    _check_method(info)
    try:
        with archive.open(info) as entry:
            # the packed length is the archive's word too: no more is asked for
            content = entry.read(limit)
            if len(content) < info.file_size:
                raise EOFError("it ends too early")
    except DAMAGED as error:
        raise zipfile.BadZipFile(str(error) or type(error).__name__) from error
    return content


def check_methods(archive: zipfile.ZipFile) -> None:
    """Raise `zipfile.BadZipFile` where a file is packed by another method."""
    for info in archive.infolist():
        _check_method(info)


def _check_method(info: zipfile.ZipInfo) -> None:
    if info.compress_type not in _METHODS:
        raise zipfile.BadZipFile(
            f"its {info.filename} is packed by method {info.compress_type}, expected "
            "deflate"
        )
