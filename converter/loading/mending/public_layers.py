"""Layers of well-known packages, said with layers that Keras has.

Networks of public collections name a few classes of their own. Some do nothing in
inference, some are what a layer of Keras is by now. They are known by their names
alone: the files do not hold their code, and nothing of it is run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.types import Json

    Layer = tuple[str, Json]

_MINE = ("name", "trainable", "dtype")


def as_keras_layer(entry: Json) -> tuple[Json, str] | None:
    """Return a public layer as one of Keras, and a note; None for any other.

    Parameters
    ----------
    entry : dict
        A layer of a network; left as it is.

    Examples
    --------
    >>> entry = {"class_name": "FixedDropout", "config": {"name": "drop", "rate": 0.2}}
    >>> as_keras_layer(entry)[0]["class_name"]
    'Dropout'
    """
    config, kind = entry.get("config"), str(entry["class_name"]).rpartition(">")[2]
    make = _TABLE.get(kind)
    if make is None or not isinstance(config, dict):
        return None
    made = make(config)
    if made is None:
        return None
    name, settings = made
    kept = {key: config[key] for key in _MINE if key in config}
    changed = {
        **entry,
        "class_name": name,
        "module": None,
        "registered_name": None,
        "config": {**kept, **settings},
    }
    plain = name.removeprefix("edgeseg>")
    note = f"layer '{config.get('name')}' ({kind}) is taken for {plain} by its name"
    return changed, note


def _dropout(config: Json) -> Layer:
    rate = config.get("rate", config.get("drop_connect_rate", 0.0))
    return "Dropout", {"rate": rate if isinstance(rate, float) else 0.0}


def _activation(name: str) -> Callable[[Json], Layer]:
    return lambda config: ("Activation", {"activation": name})


def _groups(config: Json) -> Layer:
    keys = ("groups", "axis", "epsilon", "center", "scale")
    return "GroupNormalization", {key: config[key] for key in keys if key in config}


def _instance(config: Json) -> Layer:
    keys = ("axis", "epsilon", "center", "scale")
    kept = {key: config[key] for key in keys if key in config}
    return "GroupNormalization", {**kept, "groups": -1}


def _bilinear(config: Json) -> Layer | None:
    """Return the resize with aligned corners of early Keras DeepLabv3+ files."""
    size = config.get("output_size")
    if not isinstance(size, list) or [type(side) for side in size] != [int, int]:
        return None
    sides = {"height": size[0], "width": size[1]}
    return "edgeseg>BilinearResize", {**sides, "align_corners": True}


_TABLE: dict[str, Callable[[Json], Layer | None]] = {
    "BilinearUpsampling": _bilinear,
    "DropConnect": _dropout,
    "FixedDropout": _dropout,
    "GroupNorm": _groups,
    "GroupNormalization": _groups,
    "HSigmoid": _activation("hard_sigmoid"),
    "HSwish": _activation("hard_silu"),
    "HardSwish": _activation("hard_silu"),
    "InstanceNormalization": _instance,
    "Mish": _activation("mish"),
    "Swish": _activation("silu"),
}
