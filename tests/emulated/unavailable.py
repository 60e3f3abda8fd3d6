"""Why a machine cannot be emulated, and running the programs that set it up.

Machines are made before edgeseg is installed: nothing here imports it.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class UnavailableError(Exception):
    """The other machine cannot be had here; the text is one line."""


def execute(arguments: Sequence[str], cwd: Path | None = None) -> str:
    """Run a program to its end and return what it printed.

    Raises
    ------
    UnavailableError
        It is not there or failed.
    """
    name = " ".join(arguments[:3])
    try:
        done = subprocess.run(
            arguments, cwd=cwd, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise UnavailableError(f"{arguments[0]}: {error.strerror or error}") from error
    if done.returncode:
        told = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise UnavailableError(f"{name} ... failed: {told[-1]}")
    return done.stdout
