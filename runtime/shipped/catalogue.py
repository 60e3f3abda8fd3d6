"""The models that ship, and the public files that `edgeseg fetch` knows.

Both tables are read without a framework, so that a board can show them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from edgeseg.runtime.shipped._paths import MODEL_NAMES, folder, model_file

if TYPE_CHECKING:
    from edgeseg.devices.types import Json


@dataclass(frozen=True)
class ShippedModel:
    """A model that ships.

    Parameters
    ----------
    name : str
        What the user types.
    what : str
        What it finds, and its network, in one line.
    classes : tuple of str
        What it finds.
    size : (int, int)
        Height and width of its input.
    miou : float
        Of the int8 file, 0..100.
    miou_on : str
        The pictures and classes of that mean.
    licence : str
        Of the file.
    """

    name: str
    what: str
    classes: tuple[str, ...]
    size: tuple[int, int]
    miou: float
    miou_on: str
    licence: str

    @property
    def bytes(self) -> int:
        """Size of the file."""
        return model_file(self.name).stat().st_size


@dataclass(frozen=True)
class PublicFile:
    """A public file.

    Parameters
    ----------
    name : str
        What the user types.
    file : str
        Name it is stored under.
    url : str
        Where it is.
    sha256 : str
        Of the file, in hexadecimal.
    bytes : int
        Its size.
    licence : str
        Of the file.
    what : str
        What is in it, in one line.
    next : str
        The command that uses it, with ``{file}`` for its path.
    """

    name: str
    file: str
    url: str
    sha256: str
    bytes: int
    licence: str
    what: str
    next: str


def shipped_models() -> tuple[ShippedModel, ...]:
    """Return the models that ship, in the order of their names' list.

    Examples
    --------
    >>> [model.name for model in shipped_models()]
    ['animals', 'voc']
    """
    entries = json.loads((folder() / "models.json").read_text("utf-8"))
    models = {entry["name"]: _model(entry) for entry in entries}
    return tuple(models[name] for name in MODEL_NAMES)


def releases() -> dict[str, PublicFile]:
    """Return the public files by name."""
    text = (folder() / "releases.json").read_text("utf-8")
    return {entry["name"]: PublicFile(**entry) for entry in json.loads(text)}


def catalogue() -> Json:
    """Return both tables as JSON values."""
    return {
        "shipped": [
            {**asdict(model), "bytes": model.bytes} for model in shipped_models()
        ],
        "fetch": [asdict(release) for release in releases().values()],
    }


def _model(entry: Json) -> ShippedModel:
    height, width = entry["size"]
    lists = {"classes": tuple(entry["classes"]), "size": (height, width)}
    return ShippedModel(**{**entry, **lists})
