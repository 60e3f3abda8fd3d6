"""The wheels that boards of one kind need, in a folder that the role copies from."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, OutputError
from edgeseg.devices.plain_text import reason_of
from edgeseg.devices.support import NEWEST_PYTHON, OLDEST_GLIBC, OLDEST_PYTHON
from edgeseg.runtime.pictures.atomic import make_folder
from edgeseg.runtime.remote.copying import Blob
from edgeseg.runtime.remote.deploying import download, platforms, with_extras
from edgeseg.runtime.remote.packing import wheel_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.devices.types import Json

RECORD = "pack.json"  # written last: a folder without it is not whole
_KIND = re.compile(r"(aarch64|x86_64)-cp3([0-9]{1,2})")
_GLIBC = re.compile(r"2\.([0-9]{1,2})")
_EXTRA = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VERSION = re.compile(r"edgeseg-([^-]+)-")


@dataclass(frozen=True)
class BoardKind:
    """Boards that take the same wheels.

    Parameters
    ----------
    machine : str
        ``aarch64`` or ``x86_64``.
    minor : int
        Of their Python 3.
    """

    machine: str
    minor: int

    @classmethod
    def parse(cls, text: str) -> BoardKind:
        """Read a kind as the role names it.

        Raises
        ------
        InputError
            It is none, or edgeseg does not run on that Python.

        Examples
        --------
        >>> BoardKind.parse("aarch64-cp311")
        BoardKind(machine='aarch64', minor=11)
        """
        match = _KIND.fullmatch(text)
        if match is None:
            raise InputError(
                "--board: expected processor and Python such as aarch64-cp311 or "
                f"x86_64-cp312, got {text!r}"
            )
        minor = int(match[2])
        if not OLDEST_PYTHON[1] <= minor <= NEWEST_PYTHON[1]:
            raise InputError(
                f"--board: edgeseg runs on Python 3.{OLDEST_PYTHON[1]} to "
                f"3.{NEWEST_PYTHON[1]}, got {text!r}"
            )
        return cls(match[1], minor)

    @property
    def name(self) -> str:
        """As it was typed."""
        return f"{self.machine}-cp3{self.minor}"

    def python(self) -> Json:
        """Return what pip has to know of the board's Python."""
        full = f"3.{self.minor}.0"
        return {
            "version": [3, self.minor, 0],
            "markers": {
                "os_name": "posix",
                "sys_platform": "linux",
                "platform_machine": self.machine,
                "platform_system": "Linux",
                "platform_release": "",
                "platform_version": "",
                "platform_python_implementation": "CPython",
                "python_version": f"3.{self.minor}",
                "python_full_version": full,
                "implementation_name": "cpython",
                "implementation_version": full,
            },
        }


def check_glibc(text: str) -> str:
    """Return a version of the C library that wheels can be asked for.

    Raises
    ------
    InputError
        It is none, or too old for edgeseg.
    """
    match = _GLIBC.fullmatch(text)
    oldest = ".".join(map(str, OLDEST_GLIBC))
    if match is None or (2, int(match[1])) < OLDEST_GLIBC:
        raise InputError(f"--glibc: expected {oldest} or later, got {text!r}")
    return text


def pack(
    folder: Path,
    kind: BoardKind,
    *,
    wheel: Path | None,
    extras: Sequence[str],
    glibc: str,
) -> Json:
    """Fetch the wheels for a kind of board into ``FOLDER/wheels/KIND``.

    Parameters
    ----------
    folder : Path
        Of the fleet.
    kind : BoardKind
        The boards.
    wheel : Path or None
        Of edgeseg; None takes the edgeseg that runs here.
    extras : sequence of str
        Extras of the package.
    glibc : str
        The oldest C library among them, such as ``"2.36"``.

    Returns
    -------
    dict
        ``install``: what pip installs; ``key``: names the content; ``files``: SHA-256
        by file name.

    Raises
    ------
    EdgesegError
        pip cannot get one of them, or the folder cannot be written.
    """
    for extra in extras:
        if not _EXTRA.fullmatch(extra):
            raise InputError(f"--extra: expected a name such as mqtt, got {extra!r}")
    names = sorted(set(extras))
    own = Blob.of(wheel_file(wheel))
    board = {"machine": kind.machine, "glibc": glibc}
    found = download(own, names, board, kind.python())
    hashes = {name: blob.sha for name, blob in sorted(found.items())}
    match = _VERSION.match(own.path.name)
    version = f"=={match[1]}" if match else ""
    record: Json = {
        "install": with_extras("edgeseg", names) + version,
        "key": hashlib.sha256(json.dumps([names, hashes]).encode()).hexdigest(),
        "board": kind.name,
        "platform": platforms(kind.machine, glibc)[0],
        "files": hashes,
    }
    target = folder / "wheels" / kind.name
    try:
        make_folder(target)
        (target / RECORD).unlink(missing_ok=True)
        _make_equal(target, found)
        text = json.dumps(record, indent=2) + "\n"
        (target / RECORD).write_text(text, "utf-8")
    except OSError as error:
        raise OutputError(f"cannot write to {target}: {reason_of(error)}") from error
    return record


def _make_equal(target: Path, wheels: dict[str, Blob]) -> None:
    """Let a folder hold these wheels and no others."""
    for path in target.glob("*.whl"):
        if path.name not in wheels or Blob.of(path).sha != wheels[path.name].sha:
            path.unlink()
    for name, blob in wheels.items():
        path = target / name
        if not path.exists():
            temporary = path.with_suffix(".part")
            shutil.copyfile(blob.path, temporary)
            temporary.replace(path)
