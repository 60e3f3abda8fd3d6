"""Which model a file is: its name and version where it is installed, and its hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.installation.store import VERSION_FILE, InstalledModel
from edgeseg.runtime.model.embedded import sha256

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json


def identity_of(model: Path) -> Json:
    """Return a model's ``name``, ``version`` and ``sha256``.

    Parameters
    ----------
    model : Path
        Its file. One that is not installed has its file's name and no version.
    """
    folder = model.absolute().parent
    about = {}
    if (folder / VERSION_FILE).is_file():
        place = InstalledModel(folder.resolve().parent.parent)
        about = {"name": place.name, **place.about(folder.resolve().name)}
    return {
        "name": about.get("name", model.stem),
        "version": about.get("version"),
        "sha256": sha256(model),
    }
