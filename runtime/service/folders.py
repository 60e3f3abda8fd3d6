"""The folders that a service writes to: made, and of the user that it runs as."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.output.open import folder_of
from edgeseg.runtime.pictures.atomic import make_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.runtime.address import Address
    from edgeseg.runtime.service.unit import ServiceUnit


def output_folders(outputs: Sequence[Address]) -> tuple[Path, ...]:
    """Return the folders that files are written to.

    Examples
    --------
    >>> from edgeseg.runtime.output.open import find_sink
    >>> texts = ["web:", "/a/clip.mp4", "masks:/b/ids", "/c/%Y/%d.mkv?keep=7d"]
    >>> [str(path) for path in output_folders([find_sink(text) for text in texts])]
    ['/a', '/b/ids', '/c']
    """
    folders = {folder_of(output) for output in outputs}
    found = [path for path in folders if path is not None and path.is_absolute()]
    return tuple(sorted(found))


def make_folders(unit: ServiceUnit) -> None:
    """Make the folders that a unit writes to: systemd wants them to be there.

    Those that are made belong to the user that the service runs as.

    Raises
    ------
    OutputError
        One cannot be made.
    """
    for folder in unit.writable:
        try:
            made = make_folder(folder)
            if unit.user is not None:
                _give(made, unit.user)
        except OSError as error:
            raise OutputError(f"cannot make {folder}: {reason_of(error)}") from error


def unwritable_folders(unit: ServiceUnit) -> tuple[Path, ...]:
    """Return the folders in which the unit's user may make no files, by their modes.

    Access control lists are not looked at.
    """
    if unit.user is None:
        return tuple(path for path in unit.writable if not os.access(path, os.W_OK))
    user_id, groups = _identity(unit.user, unit.groups)
    return tuple(
        path for path in unit.writable if not _may_write(path, user_id, groups)
    )


def _identity(user: str, more: Sequence[str]) -> tuple[int, frozenset[int]]:
    import grp
    import pwd

    entry = pwd.getpwnam(user)
    groups = os.getgrouplist(user, entry.pw_gid)
    return entry.pw_uid, frozenset((*groups, *(grp.getgrnam(g).gr_gid for g in more)))


def _may_write(folder: Path, user_id: int, groups: frozenset[int]) -> bool:
    if user_id == 0:
        return True
    status = folder.stat()
    if status.st_uid == user_id:
        needed = stat.S_IWUSR | stat.S_IXUSR
    elif status.st_gid in groups:
        needed = stat.S_IWGRP | stat.S_IXGRP
    else:
        needed = stat.S_IWOTH | stat.S_IXOTH
    return status.st_mode & needed == needed


def _give(folders: Sequence[Path], user: str) -> None:
    import pwd

    entry = pwd.getpwnam(user)
    if os.geteuid() == entry.pw_uid:
        return
    for folder in folders:
        os.chown(folder, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
