"""Where files from the board go here: below what was asked for, or nowhere.

A board names the files that a run wrote. Such a name is text from another machine until
`place_below` has made a path of it.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices.plain_text import is_printable, printable, reason_of
from edgeseg.runtime.remote.address import RemoteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    # a path here, or a name as a careless file system sees it
    _Place = Path | tuple[str, ...]

# bytes; file systems take 255 and Linux 4095, but a file that is being written has a
# name that is longer by ten
_LONGEST_PART = 240
_LONGEST_PATH = 4000
_DEEPEST = 64  # folders in each other


@dataclass(frozen=True)
class RunOutput:
    """A file or folder that a run writes, and where it goes here.

    Parameters
    ----------
    there : str
        Path in the run's folder.
    here : Path
        Path on this machine, as the user gave it.
    suffix : tuple of str or None
        What the names of the files in a folder end in; None: it is a single file.
    """

    there: str
    here: Path
    suffix: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Arrival:
    """A file that is to be brought here.

    Parameters
    ----------
    name : str
        Path in the run's folder.
    size : int
        Bytes.
    sha : str
        SHA-256 of its bytes, in hexadecimal.
    output : RunOutput
        What it is a part of.
    """

    name: str
    size: int
    sha: str
    output: RunOutput

    def target(self) -> Path:
        """Return where it goes; see `place_below`.

        Raises
        ------
        RemoteError
            Nowhere: see `place_below`.
        """
        if self.output.suffix is None:
            return self.output.here
        return place_below(self.output.here, self.name[len(self.output.there) + 1 :])


def arrivals(
    outputs: Sequence[RunOutput], offered: Iterable[tuple[str, int, str]]
) -> list[Arrival]:
    """Return what is to be brought of the files that a board offers.

    Files that nobody asked for are left out. The rest is looked at before anything is
    fetched, so that a name that is refused leaves nothing behind.

    Raises
    ------
    RemoteError
        A name is refused, see `place_below`, or two files would take one place.
    """
    found = []
    taken: dict[_Place, str] = {}
    for name, size, sha in offered:
        fitting = [each for each in outputs if _is_of(each, name)]
        # of several outputs in a folder, that whose files end so
        fitting.sort(key=lambda each: not name.endswith(each.suffix or ("",)))
        if not fitting:
            continue
        output = fitting[0]
        arrival = Arrival(name, size, sha, output)
        target = arrival.target()
        if not name.endswith(output.suffix or ("",)):
            continue
        places: list[_Place] = [target, _folded(arrival)]
        for place in taken.keys() & set(places):
            raise _refusal(name, f"it would take the place of {taken[place]!r}")
        taken.update(dict.fromkeys(places, name))
        found.append(arrival)
    for arrival in found:
        for place in set(_folded_parents(arrival)) & taken.keys():
            raise _refusal(arrival.name, f"{taken[place]!r} is a file, and no folder")
    return found


def place_below(folder: Path, name: str) -> Path:
    """Make a path below a folder of a name that another machine chose.

    Parameters
    ----------
    folder : Path
        What the user chose.
    name : str
        The name below it, with ``/`` between its parts.

    Raises
    ------
    RemoteError
        The name leads elsewhere, no file system takes it everywhere, a terminal would
        act on it, or on the way to it is something that is no folder, such as a
        symbolic link.

    Examples
    --------
    >>> from pathlib import Path
    >>> place_below(Path("overlays"), "day 1/cat.png")
    PosixPath('overlays/day 1/cat.png')
    >>> place_below(Path("overlays"), "../.bashrc")
    Traceback (most recent call last):
    edgeseg.runtime.remote.address.RemoteError: the file '../.bashrc' of the board is
    refused: '..' is no name
    """
    reason = _trouble_in(name) or _too_long(folder, name)
    if reason is not None:
        raise _refusal(name, reason)
    place = folder
    *parents, last = name.split("/")
    for part in parents:
        place /= part
        if _mode(place) not in (None, stat.S_IFDIR):
            raise _refusal(name, f"{place} is here, and is no folder")
    place /= last
    if _mode(place) not in (None, stat.S_IFREG):
        raise _refusal(name, f"{place} is here, and is no file")
    return place


def _trouble_in(name: str) -> str | None:
    """Return why a name is refused wherever it would go."""
    try:
        # a name that is no UTF-8 is kept as Python keeps it, in one spelling only
        usable = os.fsdecode(os.fsencode(name)) == name
    except UnicodeEncodeError:
        usable = False
    if not usable:
        return "it is not text"
    if not is_printable(os.fsencode(name).decode("utf-8", "replace")):
        return "it has control characters"
    if "\\" in name:
        return "it has a backslash"
    for part in name.split("/"):
        if part in ("", ".", ".."):
            return f"{part!r} is no name"
    return None


def _too_long(folder: Path, name: str) -> str | None:
    parts = os.fsencode(name).split(b"/")
    whole = os.fsencode(folder.absolute() / name)
    if max(map(len, parts)) > _LONGEST_PART or len(whole) > _LONGEST_PATH:
        return "it is too long"
    return "it is too deep" if len(parts) > _DEEPEST else None


def _mode(path: Path) -> int | None:
    """Return the kind of what is at a path, None where nothing is; follow no link."""
    try:
        return stat.S_IFMT(path.lstat().st_mode)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RemoteError(f"cannot write {path}: {reason_of(error)}") from error


def _is_of(output: RunOutput, name: str) -> bool:
    if output.suffix is None:
        return name == output.there
    return name.startswith(f"{output.there}/")


def _folded(arrival: Arrival) -> tuple[str, ...]:
    """Return a name as a file system sees it that ignores case and Unicode's forms."""
    there = arrival.output.there
    below = unicodedata.normalize("NFD", arrival.name[len(there) :]).casefold()
    return (there, *unicodedata.normalize("NFC", below).split("/"))


def _folded_parents(arrival: Arrival) -> list[tuple[str, ...]]:
    parts = _folded(arrival)
    return [parts[:count] for count in range(1, len(parts))]


def _refusal(name: str, reason: str) -> RemoteError:
    shown = printable(repr(name), 200)
    return RemoteError(
        f"the file {shown} of the board is refused: {printable(reason, 250)}"
    )
