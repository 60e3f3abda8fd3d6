"""Puts edgeseg onto the board: a wheel, and an environment that it is installed in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeseg.devices._support import NEWEST_PYTHON, OLDEST_GLIBC, OLDEST_PYTHON
from edgeseg.runtime.remote.copying import Blob, ship_tree
from edgeseg.runtime.remote.errors import RemoteError
from edgeseg.runtime.remote.offline import download, with_extras
from edgeseg.runtime.remote.packing import wheel_file

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.runtime.remote.session import Session

_MACHINES = ("aarch64", "x86_64")


@dataclass(frozen=True)
class Wanted:
    """What the board is to have.

    Parameters
    ----------
    wheel : Path or None
        None: the edgeseg that runs here.
    extras : tuple of str
        Extras of the package.
    offline : bool
        Fetch what the wheel needs here, and copy it.
    system : bool
        See packages of the board's own Python, such as Picamera2.
    """

    wheel: Path | None = None
    extras: tuple[str, ...] = ()
    offline: bool = False
    system: bool = False


@dataclass(frozen=True)
class Deployed:
    """What the board has.

    Parameters
    ----------
    python : str
        Path of the environment's Python there.
    wheel : str
        Name of the wheel in it.
    sha : str
        Its SHA-256.
    base : str
        Path and version of the Python that the environment was made of.
    was_there : bool
        Whether nothing had to be done.
    """

    python: str
    wheel: str
    sha: str
    base: str
    was_there: bool


def deploy(session: Session, wanted: Wanted) -> Deployed:
    """Make sure that the board has what is wanted.

    Raises
    ------
    RemoteError
        The board cannot have it, or is lost on the way.
    """
    board = session.ask("facts")
    python = session.ask(
        "python", wanted=session.python, oldest=OLDEST_PYTHON, newest=NEWEST_PYTHON
    )
    _check(session.address.host, board, python)
    wheel = Blob.of(wheel_file(wanted.wheel))
    told = {
        "wheel": wheel.sha,
        "python": f"{python['path']} {_text(python['version'])}",
        "extras": sorted(set(wanted.extras)),
        "system": wanted.system,
    }
    found = session.ask("find", **told)["python"]
    made = found or _make(session, wanted, wheel, board, python, told)
    base = str(told["python"])
    return Deployed(str(made), wheel.path.name, wheel.sha, base, found is not None)


def _make(
    session: Session,
    wanted: Wanted,
    wheel: Blob,
    board: dict[str, Any],
    python: dict[str, Any],
    told: dict[str, Any],
) -> str:
    """Copy what is needed and install it."""
    extras = told["extras"]
    wheels = {wheel.path.name: wheel}
    if wanted.offline:
        session.tell("fetching the board's wheels")
        wheels = download(wheel, extras, board, python)
    folder = ship_tree(session, wheels)
    answer = session.ask(
        "make",
        key=hashlib.sha256(repr(sorted(told.items())).encode()).hexdigest()[:16],
        python=python["path"],
        has_venv=python["venv"],
        target=with_extras(f"{folder}/{wheel.path.name}", extras),
        links=folder if wanted.offline else None,
        told={**told, "version": _text(python["version"])},
    )
    return str(answer["python"])


def _check(host: str, board: dict[str, Any], python: dict[str, Any]) -> None:
    """Raise where no wheels of the interpreter exist for a board."""
    machine, glibc = board["machine"], board["glibc"]
    if machine not in _MACHINES or python["bits"] != 64:
        raise RemoteError(
            f"{host} is {machine} with a {python['bits']}-bit Python: there are wheels "
            f"for 64 bit only ({', '.join(_MACHINES)}): write a 64-bit image"
        )
    if glibc is None or tuple(map(int, glibc.split(".")[:2])) < OLDEST_GLIBC:
        raise RemoteError(
            f"{host} has {f'glibc {glibc}' if glibc else 'no glibc'}: wheels need "
            f"{_text(OLDEST_GLIBC)} or later: write a newer Debian, Ubuntu or "
            "Raspberry Pi OS"
        )


def _text(version: Any) -> str:
    return ".".join(map(str, version))
