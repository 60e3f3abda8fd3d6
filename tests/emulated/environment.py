"""A Python environment whose interpreter an emulator runs.

qemu's user mode runs each program's instructions and hands its system calls to this
machine's kernel. The environment's ``bin/python3`` is a shell script that starts the
emulator. Python takes the script for itself (``sys.executable``), so that the Python
processes that it starts are emulated too.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# $0 is how it was called: Python looks for its environment beside it
_LAUNCHER = """\
#!/bin/sh
exec {command} -0 "$0" {program} "$@"
"""


def write_launcher(path: Path, command: Sequence[str], program: Path) -> None:
    """Write a script that runs a program in an emulator.

    Parameters
    ----------
    path : Path
        Of the script.
    command : sequence of str
        The emulator and its options.
    program : Path
        What it runs.
    """
    text = _LAUNCHER.format(
        command=shlex.join(command), program=shlex.quote(str(program))
    )
    write_program(path, text)


def lay_environment(
    folder: Path, home: Path, version: str, packages: Sequence[Path]
) -> None:
    """Make what ``python3 -m venv`` would, but for ``bin/python3``.

    Parameters
    ----------
    folder : Path
        Of the environment.
    home : Path
        Folder of the interpreter that it is an environment of.
    version : str
        Of Python, such as ``"3.11"``.
    packages : sequence of Path
        Folders with what is installed.
    """
    site = folder / "lib" / f"python{version}" / "site-packages"
    site.mkdir(parents=True, exist_ok=True)
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "pyvenv.cfg").write_text(
        f"home = {home}\ninclude-system-site-packages = false\n"
    )
    # not the bare paths: what is installed there for development has .pth files too
    lines = (f"import site; site.addsitedir({str(path)!r})\n" for path in packages)
    (site / "packages.pth").write_text("".join(lines))


def write_program(path: Path, text: str) -> None:
    """Write an executable script in place of whatever is there."""
    path.unlink(missing_ok=True)  # it may be a hard link, shared with another machine
    path.write_text(text)
    path.chmod(0o755)


def run(
    arguments: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    timeout: float = 600,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Run any program, emulated or not, in the same surroundings and `variables`."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    surroundings = {**own, **variables}
    return subprocess.run(
        [str(argument) for argument in arguments],
        cwd=cwd,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
