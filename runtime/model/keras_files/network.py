"""What a Keras network's description says, whatever Keras wrote it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from edgeseg.devices.types import Json, JsonValue


@dataclass(frozen=True)
class KerasDescription:
    """What a file says of itself; None and empty where it does not.

    Parameters
    ----------
    format : {"keras", "hdf5", "savedmodel"}
        How it was saved.
    holds : {"model", "weights", "release-weights"} or None
        Network and weights, weights alone, or those of the public Keras DeepLabv3+
        release; None where it could not be looked at.
    keras, tensorflow : str or None
        Versions that wrote it.
    saved : str or None
        Date.
    network : str or None
        Class of the network, such as ``"Functional"``.
    layers : int or None
        Its layers, those of a network inside it counted as one.
    inputs : tuple of dict
        ``name``, ``shape`` (None where it is open) and ``dtype`` of each input.
    """

    format: str
    holds: str | None
    keras: str | None = None
    tensorflow: str | None = None
    saved: str | None = None
    network: str | None = None
    layers: int | None = None
    inputs: tuple[Json, ...] = ()


def parsed(content: str | bytes, where: str) -> Json:
    """Return a JSON object.

    Raises
    ------
    ModelError
        It is something else.
    """
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{where} is damaged: {type(error).__name__}") from error
    if not isinstance(values, dict):
        raise ModelError(f"{where} is damaged: expected a JSON object")
    return values


def network_fields(config: Json) -> Json:
    """Return ``network``, ``layers`` and ``inputs`` of a network's description."""
    inner = config.get("config")
    layers = inner.get("layers") if isinstance(inner, dict) else inner
    entries = [entry for entry in _list(layers) if isinstance(entry, dict)]
    return {
        "network": text_or_none(config.get("class_name")),
        "layers": len(entries) or None,
        "inputs": tuple(_inputs(entries)),
    }


def text_or_none(value: object) -> str | None:
    """Return a text, None in place of anything else."""
    return value if isinstance(value, str) else None


def _inputs(layers: list[Json]) -> list[Json]:
    first = [layer for layer in layers if layer.get("class_name") == "InputLayer"]
    found = [_input(layer) for layer in first]
    if not any(found) and layers:  # a Sequential may say it in its first layer
        found = [_input(layers[0])]
    return [entry for entry in found if entry is not None]


def _input(layer: Json) -> Json | None:
    config = layer.get("config")
    if not isinstance(config, dict):
        return None
    shape = config.get("batch_shape", config.get("batch_input_shape"))
    if not isinstance(shape, list):
        return None
    return {
        "name": text_or_none(config.get("name")),
        "shape": [side if isinstance(side, int) else None for side in shape],
        "dtype": text_or_none(config.get("dtype")),
    }


def _list(value: object) -> list[JsonValue]:
    return value if isinstance(value, list) else []
