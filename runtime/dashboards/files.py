"""The files of this folder, for another folder."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError
from edgeseg.runtime.pictures.atomic import check_writable, write_text

if TYPE_CHECKING:
    from pathlib import Path

# name: what to do with it
USES = {
    "grafana.json": "Grafana: Dashboards, New, Import",
    "home_assistant_blueprint.yaml": (
        "Home Assistant: to config/blueprints/automation/edgeseg/"
    ),
    "home_assistant_card.yaml": "Home Assistant: a dashboard's manual card",
}


def write_dashboards(folder: Path, *, overwrite: bool = False) -> dict[str, str]:
    """Write the dashboards into a folder.

    Parameters
    ----------
    folder : Path
        Is made where it is missing.
    overwrite : bool
        Replace files of these names.

    Returns
    -------
    dict of str to str
        The files' names, and what to do with each.

    Raises
    ------
    OutputError
        The folder cannot be written, or has such a file, which may have been changed.
    """
    targets = {name: folder / name for name in USES}
    there = [name for name, path in targets.items() if path.exists()]
    if there and not overwrite:
        raise OutputError(
            f"{folder} has {', '.join(there)}: expected a folder without, or "
            "--overwrite, which loses what was changed in them"
        )
    for path in targets.values():
        check_writable(path)
    for name, path in targets.items():
        write_text(path, files(__package__).joinpath(name).read_text("utf-8"))
    return USES
