"""The outputs of a run held against what it reads, before anything is written."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_files import kind_of
from edgeseg.runtime.output.open import is_dated
from edgeseg.runtime.pictures.files import SUFFIXES
from edgeseg.runtime.pictures.originals import identity, is_inside, overwrites

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edgeseg.runtime.address import Address
    from edgeseg.runtime.capture.open import Inputs


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
            if (original := read.get(identity(path) or (-1, -1))) is not None:
                raise overwrites(shown, path, original)
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


def _written(output: Address, names: Sequence[str]) -> Iterator[Path]:
    """Yield the files that an output writes for captures of these names."""
    path = Path(output.path or "")
    if is_dated(output):
        # a run without recordings does without these modules
        from edgeseg.runtime.output.recording.dated_name import DatedName, literal

        dated = DatedName(str(path))
        if dated.is_dated or output.tail:
            # none is replaced, but old ones may be removed
            yield from (each for each, _ in dated.files() if "keep=" in output.tail)
            return
        path = Path(literal(str(path)))
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
        return is_inside(path, Path(place))
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


def _identities(paths: Iterable[Path]) -> dict[tuple[int, int], Path]:
    found = {}
    for path in paths:
        key = identity(path)
        if key is not None:
            found[key] = path
    return found
