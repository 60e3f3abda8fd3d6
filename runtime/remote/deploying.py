"""Puts edgeseg onto the board: a wheel, and an environment that it is installed in.

Without internet there, the wheels that it needs are fetched here.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import EdgesegError
from edgeseg.devices.plain_text import printable
from edgeseg.devices.support import NEWEST_PYTHON, OLDEST_GLIBC, OLDEST_PYTHON
from edgeseg.runtime.remote.address import RemoteError
from edgeseg.runtime.remote.copying import Blob, ship_tree
from edgeseg.runtime.remote.packing import cache_folder, wheel_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edgeseg.devices.types import Json
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
    record = {
        "wheel": wheel.sha,
        "python": f"{python['path']} {_text(python['version'])}",
        "extras": sorted(set(wanted.extras)),
        "system": wanted.system,
    }
    found = session.ask("find", **record)["python"]
    made = found or _make(session, wanted, wheel, board, python, record)
    base = str(record["python"])
    return Deployed(str(made), wheel.path.name, wheel.sha, base, found is not None)


def _make(
    session: Session,
    wanted: Wanted,
    wheel: Blob,
    board: Json,
    python: Json,
    record: Json,
) -> str:
    """Copy what is needed and install it."""
    extras = record["extras"]
    wheels = {wheel.path.name: wheel}
    if wanted.offline:
        session.report("fetching the board's wheels")
        wheels = download(wheel, extras, board, python)
    folder = ship_tree(session, wheels)
    answer = session.ask(
        "make",
        key=hashlib.sha256(repr(sorted(record.items())).encode()).hexdigest()[:16],
        python=python["path"],
        has_venv=python["venv"],
        target=with_extras(f"{folder}/{wheel.path.name}", extras),
        links=folder if wanted.offline else None,
        record={**record, "version": _text(python["version"])},
    )
    return str(answer["python"])


def _check(host: str, board: Json, python: Json) -> None:
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


def _text(version: Iterable[int]) -> str:
    return ".".join(map(str, version))


_OLDEST_GLIBC = 17  # manylinux_2_17, the oldest that wheels for aarch64 are made for
# pip evaluates the markers of requirements ("; python_version < '3.11'") for the Python
# that runs it, whatever --python-version says (pypa/pip issue 11664): the board's own
# values take their place, in this process alone
_PIP = """
import json, sys
markers = json.loads(sys.argv.pop(1))
from pip._vendor.packaging import markers as evaluated
evaluated.default_environment = lambda: dict(markers)
from pip._internal.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def platforms(machine: str, glibc: str) -> list[str]:
    """Return the wheel platforms that a board takes, the newest first.

    Examples
    --------
    >>> platforms("aarch64", "2.19")
    ['manylinux_2_19_aarch64', 'manylinux_2_18_aarch64', 'manylinux_2_17_aarch64', \
'manylinux2014_aarch64', 'linux_aarch64']
    """
    newest = int(glibc.split(".")[1])
    tags = [f"manylinux_2_{m}" for m in range(newest, _OLDEST_GLIBC - 1, -1)]
    if machine == "x86_64":  # older names exist for it alone
        tags += [f"manylinux_2_{m}" for m in range(_OLDEST_GLIBC - 1, 4, -1)]
    old = ["manylinux2014"] + ["manylinux2010", "manylinux1"] * (machine == "x86_64")
    return [f"{tag}_{machine}" for tag in [*tags, *old, "linux"]]


def download(
    wheel: Blob, extras: list[str], board: Json, python: Json
) -> dict[str, Blob]:
    """Fetch everything that a wheel needs on a board.

    Parameters
    ----------
    wheel : Blob
        Of edgeseg.
    extras : list of str
        Its extras.
    board, python : dict
        Facts about the board and its Python, from the board.

    Returns
    -------
    dict
        File name: wheel.

    Raises
    ------
    EdgesegError
        pip cannot get one of them.
    """
    version = python["version"]
    key = "-".join(
        [
            wheel.sha[:16],
            board["machine"],
            board["glibc"],
            *map(str, version[:2]),
            *extras,
        ]
    )
    folder = cache_folder() / "offline" / key
    whole = folder / "whole.json"  # written last
    if not whole.exists():
        _fetch(
            folder,
            with_extras(wheel.path, extras),
            _tags(board, version),
            python["markers"],
        )
        names = sorted(path.name for path in folder.glob("*.whl"))
        whole.write_text(json.dumps(names))
    wheels = {name: Blob.of(folder / name) for name in json.loads(whole.read_text())}
    return {**wheels, wheel.path.name: wheel}


def with_extras(wheel: Path | str, extras: list[str]) -> str:
    """Return what pip takes for a wheel and extras of it."""
    return f"{wheel}[{','.join(extras)}]" if extras else str(wheel)


def _tags(board: Json, version: list[int]) -> list[str]:
    short = f"{version[0]}{version[1]}"
    found = ["--python-version", f"{version[0]}.{version[1]}"]
    found += ["--implementation", "cp"]
    for abi in (f"cp{short}", "abi3", "none"):
        found += ["--abi", abi]
    for platform in platforms(board["machine"], board["glibc"]):
        found += ["--platform", platform]
    return found


def _fetch(folder: Path, target: str, tags: list[str], markers: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    call = [sys.executable, "-c", _PIP, json.dumps(markers), "download", "--quiet"]
    call += ["--no-input", "--disable-pip-version-check", "--only-binary=:all:"]
    done = subprocess.run(
        [*call, "--dest", str(folder), *tags, target], capture_output=True, text=True
    )
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        record = [line for line in lines if line.startswith("ERROR: ")] or lines
        reason = (record or ["no reason told"])[-1].removeprefix("ERROR: ")
        raise EdgesegError(
            f"the board's wheels cannot be fetched here: {printable(reason)}"
        )
