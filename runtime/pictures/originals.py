"""What is read is never written over: outputs are held against inputs beforehand.

Files are compared by device and inode, so that links, hard links, other spellings and
names that a file system takes for the same are found.
"""

from __future__ import annotations

import glob
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_files import kind_of
from edgeseg.runtime.pictures.files import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edgeseg.runtime.address import Address

# what edgeseg writes and reads in no folder
_OURS = frozenset({".tflite", ".onnx", ".html", ".journal"})
_Identity = tuple[int, int]  # device and inode


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


def check_outputs(outputs: Iterable[Address], inputs: Inputs) -> None:
    """Raise `InputError` where outputs of a run would change what it reads.

    Refused are an output that is one of the files that are read; one in the source's
    folder, or where its pattern finds it, as the next run would segment it; and two
    outputs with the same place.

    Parameters
    ----------
    outputs : iterable of Address
        From `find_sink`.
    inputs : Inputs
        What is read.
    """
    read = _identities([*inputs.files, *inputs.others])
    taken: dict[tuple[str, tuple[str, ...]], str] = {}
    for output in outputs:
        if output.path is None or kind_of(output.path) not in (None, "file", "folder"):
            continue
        shown = f"-o {output.head}{output.path}"
        for path in _written(output, inputs.names):
            if (original := read.get(_identity(path) or (-1, -1))) is not None:
                raise _overwrites(shown, path, original)
        if inputs.place is not None and _is_found(output, inputs):
            raise InputError(
                f"{shown} is in the source {inputs.place}, so that the next run would "
                "take these results for originals: expected a place outside of it"
            )
        place = os.path.realpath(output.path), _endings(output)
        if place in taken:
            raise InputError(
                f"{taken[place]} and {shown} write the same files: expected a place "
                "of its own for each output"
            )
        taken[place] = shown


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
        if _is_same(output, path):
            raise _overwrites(shown, output, path)
        if path.is_file() and output.name == f"{path.name}.json":
            if _is_same(output.parent, path.parent):
                raise InputError(
                    f"{shown}: that is the name of the manifest of {path}: expected "
                    "another name"
                )
        elif path.is_dir() and _is_inside(output, path) and _may_be_part(output):
            raise InputError(
                f"{shown} is in {path}, which is read: expected a place outside of it"
            )


def _overwrites(shown: str, path: Path, original: Path) -> InputError:
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


def _written(output: Address, names: Sequence[str]) -> Iterator[Path]:
    """Yield the files that an output writes for captures of these names."""
    path = Path(output.path or "")
    if not output.is_folder:
        yield path
        if path.suffix:  # a recording grows under this name
            yield path.with_suffix(f".part{path.suffix}")
        return
    for name in names:
        for suffix in output.kind.inside:
            yield path / f"{name}{suffix}"


def _endings(output: Address) -> tuple[str, ...]:
    return output.kind.inside if output.is_folder else ()


def _is_found(output: Address, inputs: Inputs) -> bool:
    """Return whether the source's folder or pattern would find an output's files."""
    place, path = inputs.place or "", Path(output.path or "")
    endings = _endings(output) or (path.suffix.lower(),)
    if not SUFFIXES.intersection(endings):
        return False
    if os.path.isdir(place):
        return _is_inside(path, Path(place))
    found = _pattern(place)
    written = list(_written(output, inputs.names)) if output.is_folder else [path]
    return any(found.fullmatch(_resolved(each)) for each in written)


def _pattern(text: str) -> re.Pattern[str]:
    """Return a glob pattern as a regular expression of whole, resolved paths."""
    parts = Path(text).parts
    fixed = next((i for i, p in enumerate(parts) if glob.has_magic(p)), len(parts))
    root = os.path.realpath(Path(*parts[:fixed]))
    words = [re.escape(root.rstrip("/"))]
    for part in parts[fixed:]:
        words.append("(?:/[^/]+)*" if part == "**" else f"/{_component(part)}")
    return re.compile("".join(words), re.DOTALL)


def _component(part: str) -> str:
    pieces = re.split(r"(\*+|\?|\[[^]]+\])", part)
    made = {"*": "[^/]*", "?": "[^/]"}
    return "".join(
        made.get(piece[:1])
        or (re.sub(r"^\[!", "[^", piece) if index % 2 else re.escape(piece))
        for index, piece in enumerate(pieces)
    )


def _resolved(path: Path) -> str:
    return os.path.join(os.path.realpath(path.parent), path.name)


def _identities(paths: Iterable[Path]) -> dict[_Identity, Path]:
    found = {}
    for path in paths:
        identity = _identity(path)
        if identity is not None:
            found[identity] = path
    return found


def _identity(path: Path) -> _Identity | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _is_same(first: Path, second: Path) -> bool:
    identity = _identity(first)
    return identity is not None and identity == _identity(second)


def _is_inside(path: Path, folder: Path) -> bool:
    """Return whether a path, which need not exist, is a folder or below it."""
    resolved = Path(os.path.realpath(path))
    return any(_is_same(each, folder) for each in (resolved, *resolved.parents))
