"""One Raspberry Pi, emulated: a folder whose `bin/python3` is an aarch64 Python.

qemu's user mode runs each program's instructions and hands its system calls to this
machine's kernel. ``usr/bin/python3.11`` of the board's userland is a launcher, and what
is used is a virtual environment of it: children that it starts, and environments that
it makes, are emulated too.

Nothing about speed can be learned here.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from virtual_pi.unavailable import execute
from virtual_pi.userland import EMULATOR, PYTHON, unpack_userland
from virtual_pi.wheels import requirements, test_requirements, unpack_wheels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from virtual_pi.boards import PiBoard

# the launcher, and what it launches
_CALLED = f"usr/bin/python{PYTHON}"
_PROGRAM = f"usr/libexec/emulated/python{PYTHON}"
# $0 is how it was called: the environment whose link it was called by is Python's
_LAUNCHER = """\
#!/bin/sh
exec {emulator} -cpu {cpu} -0 "$0" -L {root} {program} "$@"
"""
_EDGESEG = """\
#!{python}
import sys
from edgeseg.runtime.cli import main
sys.exit(main())
"""


@dataclass(frozen=True)
class VirtualPi:
    """A board that can be used.

    Parameters
    ----------
    board : PiBoard
        Which.
    folder : Path
        Where it is.
    """

    board: PiBoard
    folder: Path

    @property
    def python(self) -> Path:
        """The emulated interpreter, used as ``python3`` is."""
        return self.folder / "bin" / "python3"

    @property
    def edgeseg(self) -> Path:
        """The emulated command."""
        return self.folder / "bin" / "edgeseg"

    def run(
        self, *arguments: str | Path, cwd: Path | None = None, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run `edgeseg` there and return what it printed and how it ended."""
        return run([self.edgeseg, *arguments], cwd=cwd, timeout=timeout)


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


def default_cache() -> Path:
    """Return where userland and wheels are kept between runs (some 500 MB)."""
    folder = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(folder).expanduser() / "edgeseg" / "virtual-pi"


def make_pi(
    board: PiBoard,
    cache: Path,
    edgeseg: Path,
    *,
    interpreter: str = "litert",
    testing: bool = False,
) -> VirtualPi:
    """Make a board, or take up what is there of it.

    Parameters
    ----------
    board : PiBoard
        Which.
    cache : Path
        Folder for everything.
    edgeseg : Path
        The package, as `unpack_edgeseg` leaves it.
    interpreter : str
        See `requirements`.
    testing : bool
        Whether the tests' packages are there too.

    Raises
    ------
    UnavailableError
        Says what this machine lacks.
    """
    packages = [edgeseg, unpack_wheels(cache, requirements(interpreter))]
    if testing:
        packages.append(unpack_wheels(cache, test_requirements(interpreter)))
    root = _lay_root(board, cache)
    suffix = "-testing" if testing else ""
    folder = cache / f"{board.name}-{interpreter}{suffix}"
    _lay_environment(folder, root, packages)
    return VirtualPi(board, folder)


def _lay_root(board: PiBoard, cache: Path) -> Path:
    """Return the userland (hard links) with the board's files in it."""
    userland = unpack_userland(cache)
    root = cache / f"{board.name}-{userland.name}"
    if not root.is_dir():
        work = root.with_name(f"{root.name}.part")
        shutil.rmtree(work, ignore_errors=True)
        execute(["cp", "--archive", "--link", str(userland), str(work)])
        (work / _PROGRAM).parent.mkdir(parents=True)
        (work / _CALLED).rename(work / _PROGRAM)
        (work / _CALLED).with_name("python3").symlink_to(Path(_CALLED).name)
        work.rename(root)
    for name, content in board.files().items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    launcher = _LAUNCHER.format(
        emulator=shutil.which(EMULATOR),
        cpu=board.cpu,
        root=shlex.quote(str(root)),
        program=shlex.quote(str(root / _PROGRAM)),
    )
    _write_program(root / _CALLED, launcher)
    return root


def _lay_environment(folder: Path, root: Path, packages: list[Path]) -> None:
    """Make what ``python3 -m venv`` would, in less time."""
    site = folder / "lib" / f"python{PYTHON}" / "site-packages"
    site.mkdir(parents=True, exist_ok=True)
    (folder / "bin").mkdir(exist_ok=True)
    home = root / "usr" / "bin"
    (folder / "pyvenv.cfg").write_text(
        f"home = {home}\ninclude-system-site-packages = false\n"
    )
    (site / "packages.pth").write_text("".join(f"{path}\n" for path in packages))
    python = folder / "bin" / "python3"
    python.unlink(missing_ok=True)
    python.symlink_to(home / "python3")
    _write_program(folder / "bin" / "edgeseg", _EDGESEG.format(python=python))


def _write_program(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)  # it may be a link to another board's
    path.write_text(text)
    path.chmod(0o755)
