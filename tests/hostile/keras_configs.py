"""Descriptions of Keras networks that would run code or reach files."""

from __future__ import annotations

import base64
import copy
import marshal
from typing import TYPE_CHECKING, Any

from hostile.texts import OUTSIDE, hostile_text

if TYPE_CHECKING:
    from random import Random

_WRITES = f"open({OUTSIDE!r}, 'w').write('reached')"
_FUNCTIONS = (
    ("builtins", "exec"),
    ("os", "system"),
    ("subprocess", "run"),
    ("builtins", "eval"),
    ("keras.src.utils.file_utils", "get_file"),
    ("keras.utils", "get_file"),
    ("tensorflow", "io.write_file"),
)
_CLASSES = (
    "Lambda", "TFSMLayer", "StringLookup", "IntegerLookup", "TextVectorization",
    "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "Functional", "Sequential", "RNN",
    "Bidirectional", "TimeDistributed", "Wrapper", "HashedCrossing", "conv2d", "CONV2D",
    "Conv2D ", "Conv2D\0", "ConvLSTM2D", "__import__",
)  # fmt: skip
_MODULES = (
    "keras.layers", "keras.src.layers", "keras", "builtins", "os", "", "keras.layers ",
    "KERAS.LAYERS", "edgeseg", "keras_hub", None, "tensorflow.keras.layers",
)  # fmt: skip


def hostile_config(config: Any, rng: Random) -> tuple[str, Any]:
    """Return what was done, and a network's description with that in it."""
    changed = copy.deepcopy(config)
    layers = changed["config"]["layers"]
    layer = rng.choice(layers)
    what = rng.choice(sorted(_CHANGES))
    _CHANGES[what](layer, rng)
    if rng.random() < 0.2:
        rng.choice(layers)["config"]["name"] = hostile_text(rng)[:1000]
    return what, changed


def _class(layer: Any, rng: Random) -> None:
    layer["class_name"] = rng.choice(_CLASSES)
    layer["module"] = rng.choice(_MODULES)


def _registered(layer: Any, rng: Random) -> None:
    _class(layer, rng)
    layer["registered_name"] = rng.choice(
        (
            "edgeseg>BilinearResize",
            "Edgeseg>BilinearResize",
            "edgeseg>Resize",
            "a>b",
            "",
        )
    )


def _lambda(layer: Any, rng: Random) -> None:
    code = compile(f"(lambda x: {_WRITES})", "x", "eval").co_consts[0]
    packed = base64.b64encode(marshal.dumps(code)).decode()
    layer["class_name"] = "Lambda"
    layer["config"] = {
        "name": layer["config"].get("name", "x"),
        "function": rng.choice(
            (
                {"class_name": "__lambda__", "config": {"code": packed}},
                [packed, None, None],
                packed,
            )
        ),
    }


def _function(layer: Any, rng: Random) -> None:
    module, name = rng.choice(_FUNCTIONS)
    key = rng.choice(("activation", "kernel_initializer", "function", "dtype", "units"))
    layer["config"][key] = {
        "class_name": rng.choice(("function", name)),
        "config": rng.choice((name, {"fn": name}, {"command": _WRITES}, [_WRITES])),
        "module": module,
        "registered_name": rng.choice((name, "edgeseg>Resize", None, "function")),
    }


def _dtype(layer: Any, rng: Random) -> None:
    layer["config"]["dtype"] = rng.choice(
        (["float32"], {"a": 1}, "float999", "object", 7, None, "complex64", "string")
    )


def _shape(layer: Any, rng: Random) -> None:
    numbers = (-1, 0, None, 1.5, "x", 2**31, 2**63, [1], True)
    config = layer["config"]
    keys = (
        "batch_shape",
        "kernel_size",
        "strides",
        "filters",
        "height",
        "width",
        "axis",
    )
    key = rng.choice([k for k in keys if k in config] or ["batch_shape"])
    value = config.get(key, [None, 5, 5, 3])
    if isinstance(value, list) and value:
        value[rng.randrange(len(value))] = rng.choice(numbers)
    else:
        config[key] = rng.choice(numbers)


def _inbound(layer: Any, rng: Random) -> None:
    layer["inbound_nodes"] = rng.choice(
        ([], [[]], None, "x", layer.get("inbound_nodes", []) * 3, [{"args": [1]}])
    )


def _nested(layer: Any, rng: Random) -> None:
    inner = copy.deepcopy(layer)
    for _ in range(rng.choice((1, 5, 300))):
        inner = {"class_name": "Wrapper", "config": {"layer": inner, "name": "w"}}
    layer["config"]["layer"] = inner


_CHANGES = {
    "class": _class,
    "registered name": _registered,
    "lambda": _lambda,
    "function": _function,
    "dtype": _dtype,
    "shape": _shape,
    "inbound": _inbound,
    "nested": _nested,
}
