"""Networks with channels first, described with channels last.

TensorFlow computes convolutions of ``(N, C, H, W)`` on graphics cards alone, and
TensorFlow Lite not at all. Kernels have the same layout in both, so that turning the
description is enough: ``data_format``, axes, and the shape of the input. Layers whose
meaning depends on the order in another way are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edgeseg.devices.types import Json

_FIRST, _LAST = "channels_first", "channels_last"
# Values are taken one by one, or the network's picture is
_ANY_ORDER = """
    Activation Add AlphaDropout Average Dropout ELU GaussianDropout GaussianNoise
    Identity InputLayer LeakyReLU Maximum Minimum Multiply ReLU Subtract
"""
_BY_AXIS = ("BatchNormalization", "Concatenate", "GroupNormalization", "Softmax")
_MODELS = ("Functional", "Model", "Sequential")
_AXES = {0: 0, 1: 3, 2: 1, 3: 2}
_TO_LAST = [2, 3, 1]  # of a Permute


def with_channels_last(path: Path, config: Json) -> str | None:
    """Turn a network whose layers have channels first; return a note if it was one.

    Parameters
    ----------
    path : Path
        The file, for messages.
    config : dict
        Of a network, an entry of a model; changed.

    Raises
    ------
    ModelError
        A layer cannot be turned.
    """
    entries = list(_layers(config))
    formats = [entry["config"].get("data_format") for entry in entries]
    if _FIRST not in formats:
        return None
    # layers behind a turn to channels last, and pictures that come so, stay
    starts = [e for e in entries if e["class_name"] == "InputLayer"]
    if _LAST in formats or not all(map(_is_first, starts)):
        raise ModelError(
            f"{path} has channels first in some layers and last in others: build it "
            "with data_format='channels_last' from the same weights, and save it"
        )
    for entry in entries:
        _turn(path, entry)
    return "was drawn with channels first, and is turned to channels last"


def _layers(entry: Json) -> Iterator[Json]:
    """Yield the layers of a network, those of models in it too."""
    config = entry.get("config")
    inner = config.get("layers") if isinstance(config, dict) else config
    for one in inner if isinstance(inner, list) else ():
        if not isinstance(one, dict) or not isinstance(one.get("config"), (dict, list)):
            continue
        if one.get("class_name") in _MODELS:
            yield from _layers(one)
        elif isinstance(one["config"], dict):
            yield one


def _is_first(entry: Json) -> bool:
    shape = _shape(entry)
    return shape is None or (len(shape) == 4 and shape[1] in (1, 3, 4))


def _shape(entry: Json) -> list[int | None] | None:
    config = entry["config"]
    found = config.get("batch_shape") or config.get("batch_input_shape")
    return found if isinstance(found, list) else None


def _turn(path: Path, entry: Json) -> None:
    kind, config = entry["class_name"], entry["config"]
    entry.pop("build_config", None)
    for key in ("batch_shape", "batch_input_shape"):
        shape = config.get(key)
        if isinstance(shape, list) and len(shape) == 4:
            config[key] = [shape[0], *shape[2:], shape[1]]
    if kind == "Permute" and list(config.get("dims", ())) == _TO_LAST:
        entry["class_name"], entry["config"] = (
            "Activation",
            {
                "name": config.get("name"),
                "activation": "linear",
            },
        )
        entry["module"] = entry["registered_name"] = None
    elif config.get("data_format") == _FIRST:
        config["data_format"] = _LAST
    elif kind in _BY_AXIS:
        config["axis"] = _axis(config.get("axis", -1))
    elif kind == "Rescaling" and isinstance(config.get("scale"), (int, float)):
        return
    elif kind not in _ANY_ORDER.split():
        raise _cannot(path, entry)


def _axis(axis: object) -> object:
    if isinstance(axis, list) and len(axis) == 1:
        axis = axis[0]
    if not isinstance(axis, int):
        return axis
    return _AXES[axis % 4]


def _cannot(path: Path, entry: Json) -> ModelError:
    return ModelError(
        f"{path} has channels first, and its layer '{entry['config'].get('name')}' "
        f"({entry['class_name']}) cannot be turned: build it with "
        "data_format='channels_last' from the same weights, and save it"
    )
