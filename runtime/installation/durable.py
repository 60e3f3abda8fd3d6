"""Changes of files that survive a power cut: whole, or as if they had not begun.

A rename is one step for whoever looks, but neither it nor a file's content is on the
disk before both were synchronized (fsync(2), rename(2)).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TEMPORARY = ".model-"  # begins the names of what is not finished


def temporary_beside(path: Path) -> Path:
    """Return a name in the same folder that nothing has."""
    return path.with_name(f"{TEMPORARY}{secrets.token_hex(6)}")


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> list[Path]:
    """Make a folder with its parents; each is on the disk afterwards.

    Returns
    -------
    list of Path
        Those that were missing, the folder itself first.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync(each.parent)
    return missing


def write(path: Path, content: bytes) -> None:
    """Write a file, or replace it, in one step."""
    temporary = temporary_beside(path)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync(path.parent)


def point(link: Path, target: str) -> None:
    """Make a symbolic link, or let it lead elsewhere, in one step."""
    temporary = temporary_beside(link)
    try:
        temporary.symlink_to(target)
        temporary.replace(link)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync(link.parent)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it: its name goes in one step.

    A kill leaves a temporary name behind; see `remove_unfinished`.
    """
    temporary = temporary_beside(folder)
    folder.rename(temporary)
    sync(folder.parent)
    shutil.rmtree(temporary)


def remove_unfinished(folder: Path) -> None:
    """Remove what a kill has left in a folder of names that are not finished."""
    with os.scandir(folder) as entries:
        names = [entry.path for entry in entries if entry.name.startswith(TEMPORARY)]
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            if os.path.isdir(name) and not os.path.islink(name):
                shutil.rmtree(name)
            else:
                os.unlink(name)
