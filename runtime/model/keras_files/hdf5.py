"""``.h5``: a whole model, or weights without their network."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from edgeseg.devices import ModelError
from edgeseg.devices.plain_text import one_line
from edgeseg.runtime.model.keras_files.network import (
    KerasDescription,
    network_fields,
    parsed,
)

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json, Untyped

# layers that only the public Keras DeepLabv3+ release has, of either backbone
_OF_RELEASE = ("expanded_conv_depthwise", "entry_flow_conv1_1")
_DAMAGED = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)


def read_hdf5(path: Path) -> KerasDescription:
    """Return what an HDF5 file says; little where h5py is not installed.

    Raises
    ------
    ModelError
        It is damaged.
    """
    try:
        h5py = importlib.import_module("h5py")
    except ImportError:
        return KerasDescription("hdf5", None)
    try:
        with h5py.File(path, "r") as file:
            attributes = dict(file.attrs)
    except _DAMAGED as error:
        raise ModelError(
            f"{path} is a damaged or truncated HDF5 file: {one_line(error)}"
        ) from error
    version = _text(attributes.get("keras_version"))
    if "model_config" in attributes:
        text = _text(attributes["model_config"])
        config = parsed(text or "", f"{path}: its model_config")
        return KerasDescription(
            "hdf5", "model", keras=version, **network_fields(config)
        )
    names = _names(attributes)
    release = any(name in names for name in _OF_RELEASE)
    return KerasDescription(
        "hdf5",
        "release-weights" if release else "weights",
        keras=version,
        layers=len(names) or None,
    )


def _names(attributes: Json) -> set[str]:
    """Return the layers' names; a long list is in numbered pieces."""
    keys = [key for key in attributes if key.rstrip("0123456789") == "layer_names"]
    pieces: list[Untyped] = [getattr(attributes[key], "tolist", list)() for key in keys]
    return {str(_text(name)) for piece in pieces if isinstance(piece, list)
            for name in piece}  # fmt: skip


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else None
