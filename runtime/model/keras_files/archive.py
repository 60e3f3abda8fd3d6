"""``.keras``: a ZIP archive with a network in JSON, and its weights."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from edgeseg.devices import ModelError
from edgeseg.devices.archives import open_archive, read_entry
from edgeseg.devices.plain_text import one_line
from edgeseg.runtime.model.keras_files.network import (
    KerasDescription,
    network_fields,
    parsed,
    text_or_none,
)

if TYPE_CHECKING:
    from pathlib import Path

_CONFIG, _METADATA = "config.json", "metadata.json"
_LIMIT = 64 << 20  # bytes of JSON: a network of a thousand layers takes one megabyte


def read_archive(path: Path) -> KerasDescription | None:
    """Return what a ``.keras`` file says, None where the archive is another one.

    Raises
    ------
    ModelError
        It is damaged.
    """
    try:
        with open_archive(path) as archive:
            if _CONFIG not in archive.namelist():
                return None
            config = parsed(_read(archive, _CONFIG), f"{path}: its {_CONFIG}")
            written = parsed(_read(archive, _METADATA), f"{path}: its {_METADATA}")
    except (zipfile.BadZipFile, OSError) as error:
        raise ModelError(
            f"{path} is a damaged or truncated .keras file: {one_line(error)}"
        ) from error
    return KerasDescription(
        "keras",
        "model",
        keras=text_or_none(written.get("keras_version")),
        saved=text_or_none(written.get("date_saved")),
        **network_fields(config),
    )


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.namelist():
        return b"{}"
    return read_entry(archive, name, _LIMIT)
