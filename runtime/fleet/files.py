"""The playbooks, role, inventory and variables of `project/`, for a user's folder."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.pictures.atomic import check_writable, write_text

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_PROJECT = "project"
# what a user changes: it is written once, and never replaced
OWN = ("inventory.yaml", "group_vars")
CONFIG = "ansible.cfg"


def project_files() -> dict[str, bytes]:
    """Return what is written, by its path in the user's folder."""
    return dict(sorted(_below(files(__package__) / _PROJECT, "")))


def write_project(folder: Path, *, overwrite: bool = False) -> dict[str, bool]:
    """Write the files of a fleet into a folder.

    Parameters
    ----------
    folder : Path
        Is made where it is missing.
    overwrite : bool
        The folder is that of a fleet: replace its playbooks and role. Inventory and
        variables stay.

    Returns
    -------
    dict of str to bool
        Each file's path in the folder, and whether it was written now.

    Raises
    ------
    OutputError
        The folder holds other files, or cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"expected a folder for the fleet, got the file {folder}")
    try:
        found = (
            sorted(path.name for path in folder.iterdir()) if folder.exists() else []
        )
    except OSError as error:
        raise OutputError(f"cannot read {folder}: {reason_of(error)}") from error
    if found and not overwrite:
        raise OutputError(
            f"{folder} holds {', '.join(found[:3])}{' ...' if found[3:] else ''}: "
            "expected a new or empty folder, or --overwrite for that of a fleet"
        )
    if found and CONFIG not in found:
        raise OutputError(
            f"{folder} is not the folder of a fleet, it has no {CONFIG}: expected a "
            "new or empty one"
        )
    content = project_files()
    wanted = {name: folder / name for name in content}
    written = {
        name: not (path.exists() and name.startswith(OWN))
        for name, path in wanted.items()
    }
    for name, path in wanted.items():
        if written[name]:
            check_writable(path)
    for name, path in wanted.items():
        if written[name]:
            write_text(path, content[name].decode("utf-8"))
    return written


def _below(place: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in place.iterdir():
        name = prefix + entry.name
        if entry.is_dir():
            found += _below(entry, f"{name}/")
        else:
            found.append((name, entry.read_bytes()))
    return found
