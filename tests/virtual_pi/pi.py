"""One Raspberry Pi, emulated: a folder whose `bin/python3` is an aarch64 Python.

``usr/bin/python3.11`` of the board's userland is a launcher (see
`emulated.environment`), and what is used is a virtual environment of it: children that
it starts, and environments that it makes, are emulated too.

Nothing about speed can be learned here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emulated.environment import (
    lay_environment,
    run,
    write_launcher,
    write_program,
)
from emulated.unavailable import execute
from virtual_pi.userland import EMULATOR, PYTHON, unpack_userland
from virtual_pi.wheels import (
    convert_requirements,
    requirements,
    test_requirements,
    unpack_wheels,
)

if TYPE_CHECKING:
    from virtual_pi.boards import PiBoard

# the launcher, and what it launches
_CALLED = f"usr/bin/python{PYTHON}"
_PROGRAM = f"usr/libexec/emulated/python{PYTHON}"
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

    def emulated_by(self, emulator: str, *options: str) -> list[str | Path]:
        """Return a command that runs Python scripts there, by another emulator.

        Parameters
        ----------
        emulator : str
            One of qemu's user mode for aarch64.
        *options : str
            More of its options.
        """
        root = self.python.readlink().parents[2]
        command = [emulator, "-cpu", self.board.cpu, *options, "-L", root]
        return [*command, "-0", self.python, root / _PROGRAM]


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
    converting: bool = False,
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
    converting : bool
        Whether TensorFlow and all of the extra ``convert`` are (2 GB).

    Raises
    ------
    UnavailableError
        Says what this machine lacks.
    """
    wanted = convert_requirements if converting else requirements
    packages = [edgeseg, unpack_wheels(cache, wanted(interpreter))]
    if testing:
        packages.append(unpack_wheels(cache, test_requirements(interpreter)))
    root = _lay_root(board, cache)
    suffix = ("-testing" if testing else "") + ("-converting" if converting else "")
    folder = cache / f"{board.name}-{interpreter}{suffix}"
    _lay_board(folder, root, packages)
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
    command = [str(shutil.which(EMULATOR)), "-cpu", board.cpu, "-L", str(root)]
    write_launcher(root / _CALLED, command, root / _PROGRAM)
    return root


def _lay_board(folder: Path, root: Path, packages: list[Path]) -> None:
    home = root / "usr" / "bin"
    lay_environment(folder, home, PYTHON, packages)
    python = folder / "bin" / "python3"
    python.unlink(missing_ok=True)
    python.symlink_to(home / "python3")
    write_program(folder / "bin" / "edgeseg", _EDGESEG.format(python=python))
