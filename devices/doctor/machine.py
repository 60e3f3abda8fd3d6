"""What the checks may look at: files, commands, packages and the user.

Everything that a check knows comes from here, so that a test can lay out a machine
with any defect. Nothing heavy is imported: numpy or the interpreter may be broken.

The clock: a Raspberry Pi before the 5 has none that runs without power.
"""

from __future__ import annotations

import functools
import getpass
import grp
import os
import platform
import shutil
import struct
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices.board import Board, detect_board
from edgeseg.devices.doctor.finding import Finding, Fix
from edgeseg.devices.linux_files import read_text, read_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


PACKAGES = (
    "edgeseg",
    "numpy",
    "ai-edge-litert",
    "tflite-runtime",
    "tensorflow",
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
    "pillow",
    "click",
    "onnxruntime",
    "onnxruntime-gpu",
    "picamera2",
    "pycoral",
)
_TIMEOUT_S = 8.0


@dataclass(frozen=True)
class Machine:
    """One machine as the checks see it.

    Parameters
    ----------
    root : Path
        Stands for ``/``.
    path : str
        Folders in which commands are looked for, as in ``PATH``.
    architecture, bits : str, int
        Of the kernel; of the userland.
    python : tuple of int
        Major and minor version.
    libc : tuple of str
        Name and version; an empty name is musl's.
    packages : mapping of str to str
        Installed distributions out of `PACKAGES` and their versions.
    user, is_root, groups : str, bool, frozenset of str
        Who runs this, and the groups of this process.
    in_venv, sees_system : bool
        Whether Python runs in a virtual environment; whether it sees the packages of
        the system's Python.
    year : int
        Of the clock.
    free_bytes, page_bytes : int
        On the disk with the home folder; of a memory page.
    interpreter : str
        The Python that is examined.
    """

    root: Path = Path("/")
    path: str = field(default_factory=lambda: os.environ.get("PATH", os.defpath))
    architecture: str = field(default_factory=platform.machine)
    bits: int = 8 * struct.calcsize("P")
    python: tuple[int, int] = (sys.version_info[0], sys.version_info[1])
    libc: tuple[str, str] = field(default_factory=platform.libc_ver)
    packages: Mapping[str, str] = field(default_factory=lambda: _installed())
    user: str = field(default_factory=lambda: _user())
    is_root: bool = field(default_factory=lambda: os.geteuid() == 0)
    groups: frozenset[str] = field(default_factory=lambda: _groups())
    in_venv: bool = sys.prefix != sys.base_prefix
    sees_system: bool = field(default_factory=lambda: _sees_system())
    year: int = field(default_factory=lambda: time.gmtime().tm_year)
    free_bytes: int = field(default_factory=lambda: shutil.disk_usage(_home()).free)
    page_bytes: int = field(default_factory=lambda: os.sysconf("SC_PAGE_SIZE"))
    interpreter: str = sys.executable

    @functools.cached_property
    def board(self) -> Board:
        """The board."""
        return detect_board(self.root, architecture=self.architecture, bits=self.bits)

    def text(self, place: str) -> str | None:
        """Return a file's text, None where it cannot be read."""
        return read_text(self.root / place)

    def words(self, place: str) -> str | None:
        """Return a file's text without white space around it."""
        return read_words(self.root / place)

    def files(self, pattern: str) -> list[Path]:
        """Return the files that match a relative glob pattern, sorted."""
        return sorted(self.root.glob(pattern))

    def has_group(self, name: str) -> bool:
        """Whether the system knows a group."""
        lines = (self.text("etc/group") or "").splitlines()
        return any(line.startswith(f"{name}:") for line in lines)

    def run(self, *command: str) -> str | None:
        """Return what a command prints, None where it is not there or fails."""
        try:
            done = self.execute(command, timeout_s=_TIMEOUT_S)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return None if done is None or done.returncode else done.stdout

    def execute(
        self,
        command: Sequence[str],
        *,
        timeout_s: float,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str] | None:
        """Run a program of the search path, None where it is not there.

        Parameters
        ----------
        command : sequence of str
            Program and arguments.
        timeout_s : float
            Seconds that it may take.
        environment : mapping or None
            In place of this process's own.

        Raises
        ------
        OSError, subprocess.TimeoutExpired
            It cannot be run, or takes too long.
        """
        program = shutil.which(command[0], path=self.path)
        if program is None:
            return None
        return subprocess.run(
            [program, *command[1:]],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
            env=environment,
        )


def _installed() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a uid without a name, as in some containers
        return str(os.getuid())


def _groups() -> frozenset[str]:
    names = set()
    for number in (*os.getgroups(), os.getegid()):
        try:
            names.add(grp.getgrgid(number).gr_name)
        except KeyError:
            continue
    return frozenset(names)


def _sees_system() -> bool:
    settings = read_text(Path(sys.prefix) / "pyvenv.cfg") or ""
    return "include-system-site-packages = true" in settings.lower()


def _home() -> Path:
    home = Path(os.path.expanduser("~"))
    return home if home.exists() else Path("/")


_OLDEST_YEAR = 2024  # older than this program
_FIX = Fix(("timedatectl", "set-ntp", "true"), is_safe=True, needs_root=True)


def check_clock(machine: Machine) -> Iterator[Finding]:
    """Look at the year, and whether the time is kept by the network."""
    if machine.year < _OLDEST_YEAR:
        yield Finding(
            "clock",
            "error",
            f"the clock says {machine.year}",
            "pip and downloads fail (certificates are not valid yet), records are "
            "misdated",
            _FIX,
        )
        return
    answer = machine.run("timedatectl", "show", "-p", "NTPSynchronized", "--value")
    if answer is not None and answer.strip() == "no":
        why = "without a battery the clock starts wrong after each power cut"
        found = "the clock is not kept by the network"
        yield Finding("clock", "warning", found, why, _FIX)
    else:
        yield Finding("clock", "ok", f"the year is {machine.year}")
