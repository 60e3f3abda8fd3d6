"""The wheels that a board needs, fetched here for it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from edgeseg.devices import EdgesegError
from edgeseg.devices._printable import printable
from edgeseg.runtime.remote.copying import Blob
from edgeseg.runtime.remote.packing import cache_folder

if TYPE_CHECKING:
    from pathlib import Path

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
    wheel: Blob, extras: list[str], board: dict[str, Any], python: dict[str, Any]
) -> dict[str, Blob]:
    """Fetch everything that a wheel needs on a board.

    Parameters
    ----------
    wheel : Blob
        Of edgeseg.
    extras : list of str
        Its extras.
    board, python : dict
        What the board told of itself and of its Python.

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


def _tags(board: dict[str, Any], version: list[int]) -> list[str]:
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
        told = [line for line in lines if line.startswith("ERROR: ")] or lines
        reason = (told or ["no reason told"])[-1].removeprefix("ERROR: ")
        raise EdgesegError(
            f"the board's wheels cannot be fetched here: {printable(reason)}"
        )
