"""What is read is never written over: outputs are held against inputs beforehand.

Files are compared by device and inode, so that links, hard links, other spellings and
names that a file system takes for the same are found.
"""

from __future__ import annotations

import os
from pathlib import Path

from edgeseg.devices import InputError
from edgeseg.devices.plain_files import kind_of
from edgeseg.runtime.pictures.files import SUFFIXES

# what edgeseg writes and reads in no folder
_OURS = frozenset({".tflite", ".onnx", ".html", ".journal"})


def check_apart(
    output: Path | None, *inputs: Path | str | None, option: str = "-o"
) -> None:
    """Raise `InputError` where a command's output would change one of its inputs.

    Refused are an output that is an input, by whatever name; the name of the manifest
    beside a model; a file that is there already in a folder that is read, and a folder
    or a picture in it.

    Parameters
    ----------
    output : Path or None
        A file, or a folder to fill.
    *inputs : Path, str or None
        Files and folders; what does not exist, as a set of labels by its name, is no
        file.
    option : str
        What names the output on the command line.
    """
    if output is None:
        return
    shown = f"{option} {output}"
    for source in inputs:
        if source is None or kind_of(source) not in ("file", "folder"):
            continue
        path = Path(source)
        if is_same(output, path):
            raise overwrites(shown, output, path)
        if path.is_file() and output.name == f"{path.name}.json":
            if is_same(output.parent, path.parent):
                raise InputError(
                    f"{shown}: that is the name of the manifest of {path}: expected "
                    "another name"
                )
        elif path.is_dir() and is_inside(output, path) and _may_be_part(output):
            raise InputError(
                f"{shown} is in {path}, which is read: expected a place outside of it"
            )


def overwrites(shown: str, path: Path, original: Path) -> InputError:
    """Return the error for an output that would be written over what is read.

    Parameters
    ----------
    shown : str
        Option and value, as a user typed them.
    path, original : Path
        The file that would be written, and the one that is read.
    """
    name = "" if str(path) in shown.split(" ", 1)[-1] else f" writes {path}, which"
    same = "" if str(path) == str(original) else f" ({original})"
    return InputError(
        f"{shown}{name} is what is read{same}: the original would be lost; name "
        "another place"
    )


def _may_be_part(output: Path) -> bool:
    """Return whether readers of the folder around could take it for their own."""
    is_file = bool(output.suffix) and not output.is_dir()
    suffix = output.suffix.lower()
    if not is_file or suffix in SUFFIXES:
        return True
    return output.exists() and suffix not in _OURS


def identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of a path, links followed; None where nothing is."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def is_same(first: Path, second: Path) -> bool:
    """Return whether two paths lead to one file or folder, which is there."""
    found = identity(first)
    return found is not None and found == identity(second)


def is_inside(path: Path, folder: Path) -> bool:
    """Return whether a path, which need not exist, is a folder or below it."""
    resolved = Path(os.path.realpath(path))
    return any(is_same(each, folder) for each in (resolved, *resolved.parents))
