"""Debian's aarch64 userland: an interpreter and its libraries, unpacked in a folder.

Needs no root rights, debootstrap or container: packages are fetched and unpacked, none
of their scripts runs.
"""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

from emulated.unavailable import UnavailableError, execute

if TYPE_CHECKING:
    from pathlib import Path

EMULATOR = "qemu-aarch64-static"
PYTHON = "3.11"  # Debian 12's
_PACKAGES = (
    f"python{PYTHON}",
    f"python{PYTHON}-minimal",
    f"python{PYTHON}-venv",
    f"libpython{PYTHON}-minimal",
    f"libpython{PYTHON}-stdlib",
    "libbz2-1.0",
    "libc6",
    "libcrypt1",
    "libdb5.3",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "liblzma5",
    "libncursesw6",
    "libnsl2",
    "libreadline8",
    "libsqlite3-0",
    "libssl3",
    "libstdc++6",
    "libtinfo6",
    "libtirpc3",
    "libuuid1",
    "zlib1g",
)
_FOR_ALL = ("python3-pip-whl", "python3-setuptools-whl")  # of any architecture


def userland_of(cache: Path) -> Path:
    """Return where the userland is in a cache, or would be."""
    wanted = "\n".join((*_PACKAGES, *_FOR_ALL))
    return cache / f"userland-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"


def unpack_userland(cache: Path) -> Path:
    """Return a folder with the userland; what is there already is kept.

    Raises
    ------
    UnavailableError
        Says what this machine lacks.
    """
    folder = userland_of(cache)
    if folder.is_dir():
        return folder
    _check()
    work = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(work, ignore_errors=True)
    (work / "packages").mkdir(parents=True)
    wanted = [*(f"{name}:arm64" for name in _PACKAGES), *_FOR_ALL]
    execute(["apt-get", "download", "--quiet", *wanted], cwd=work / "packages")
    for package in sorted((work / "packages").glob("*.deb")):
        execute(["dpkg", "--extract", str(package), str(work / "root")])
    (work / "root").rename(folder)
    shutil.rmtree(work)
    return folder


def _check() -> None:
    if shutil.which(EMULATOR) is None:
        raise UnavailableError(f"no {EMULATOR}: apt-get install qemu-user-static")
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            raise UnavailableError(f"no {program}: this needs Debian or a child of it")
    if "arm64" not in execute(["dpkg", "--print-foreign-architectures"]).split():
        raise UnavailableError(
            "apt knows no arm64 packages: dpkg --add-architecture arm64, apt-get update"
        )
