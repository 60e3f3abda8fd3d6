"""The Python interpreters of a machine that edgeseg runs on."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

OLDEST = (3, 10)  # as `requires-python` in pyproject.toml

# a venv's interpreter would hand its packages on; pip comes with `ensurepip`
_ASK = """
import ensurepip, json, platform, sys, venv
if sys.prefix == sys.base_prefix and sys.implementation.name == "cpython":
    print(json.dumps([sys.version_info[:3], platform.python_version()]))
"""


class Python(NamedTuple):
    """An interpreter.

    Parameters
    ----------
    number : tuple of int
        Such as ``(3, 12, 1)``.
    version : str
        The same as text, with what a pre-release appends.
    path : Path
        The program.
    """

    number: tuple[int, ...]
    version: str
    path: Path

    @property
    def minor(self) -> str:
        """Return the language version, such as ``"3.12"``."""
        return "{}.{}".format(*self.number)


def ask(path: Path) -> Python | None:
    """Return what a program is, or None where no environment can be made of it."""
    try:
        done = subprocess.run(
            [path, "-c", _ASK], capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0 or not done.stdout.strip():
        return None
    number, version = json.loads(done.stdout)
    return Python(tuple(number), version, path)


def found() -> list[Python]:
    """Return the newest release of each version from `OLDEST` on, oldest first."""
    newest: dict[str, Python] = {}
    for path in candidates():
        python = ask(path)
        if python is None or python.number < OLDEST:
            continue
        known = newest.get(python.minor)
        if known is None or known.number < python.number:
            newest[python.minor] = python
    return sorted(newest.values())


def candidates() -> list[Path]:
    """Return programs by the name of python3 on the path, and pyenv's versions."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
    on_path = [
        path
        for folder in folders
        for path in (folder / "python3", *sorted(folder.glob("python3.[0-9]*")))
        if path.name.count("-") == 0 and os.access(path, os.X_OK)
    ]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    return [*on_path, *sorted(pyenv.glob("versions/*/bin/python"))]
