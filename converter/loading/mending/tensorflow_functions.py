"""TensorFlow functions that Keras 2 stored as layers, said with Keras 3's own layers.

``tf.nn.relu6(x)`` in the code of a Keras 2 model became a layer ``TFOpLambda`` that
names the function. Keras 3 has no such layer; what it does can often be said with a
layer that it has. Functions that are not in the table stay as they are, and are code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.types import Json

    Layer = tuple[str, Json]

_CONSTANT = "_CONSTANT_VALUE"


@dataclass(frozen=True)
class _OperatorCall:
    """One call of a function: its tensors, its numbers, and its options."""

    tensors: list[list[Any]]
    left: float | None  # a number in place of the first operand
    right: float | None  # a number in place of the second
    options: Json

    @property
    def lone(self) -> bool:
        return len(self.tensors) == 1


def as_layer(entry: Json) -> Json:
    """Return a layer that does what a stored function does, or the entry itself.

    Parameters
    ----------
    entry : dict
        A layer of class ``TFOpLambda`` in a Keras 2 network.

    Examples
    --------
    >>> entry = {
    ...     "class_name": "TFOpLambda",
    ...     "name": "tf.nn.relu6",
    ...     "config": {"name": "tf.nn.relu6", "function": "nn.relu6"},
    ...     "inbound_nodes": [["conv", 0, 0, {}]],
    ... }
    >>> as_layer(entry)["class_name"], as_layer(entry)["config"]["max_value"]
    ('ReLU', 6.0)
    """
    make = _TABLE.get(str(entry["config"].get("function")))
    calls = [_call(node) for node in entry.get("inbound_nodes", [])]
    if make is None or len(calls) != 1:
        return entry
    made = make(calls[0])
    if made is None:
        return entry
    kind, config = made
    return {
        **entry,
        "class_name": kind,
        "config": {"name": entry["config"]["name"], **config},
        "inbound_nodes": [[[*ref, {}] for ref in calls[0].tensors]],
    }


def _call(node: list[Any]) -> _OperatorCall:
    refs = node if isinstance(node[0], list) else [node]
    options = {k: v for k, v in refs[0][3].items() if k != "name" and v is not None}
    tensors, numbers = [], []
    for operand in (*refs, options.pop("y", None)):
        is_ref = isinstance(operand, list) and operand[:1] != [_CONSTANT]
        if is_ref:
            tensors.append(operand[:3])
        else:
            numbers.append(operand[2] if isinstance(operand, list) else operand)
    first = isinstance(refs[0], list) and refs[0][0] == _CONSTANT
    left, right = (numbers[0], None) if first else (None, numbers[-1] if numbers else 0)
    return _OperatorCall(tensors, _number(left), _number(right), options)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _plain(kind: str, **config: object) -> Callable[[_OperatorCall], Layer | None]:
    """Return what makes a layer of one tensor whose function had no options."""

    def make(call: _OperatorCall) -> Layer | None:
        return (kind, config) if call.lone and not call.options else None

    return make


def _merged(
    kind: str, scaled: Callable[[float | None, float | None], Json | None]
) -> Callable[[_OperatorCall], Layer | None]:
    """Return what makes a merge of two tensors, or a rescaling of one by a number."""

    def make(call: _OperatorCall) -> Layer | None:
        if call.options:
            return None
        if len(call.tensors) == 2:
            return (kind, {}) if kind else None
        config = scaled(call.left, call.right)
        return None if config is None else ("Rescaling", config)

    return make


def _affine(scale: float, offset: float = 0.0) -> Json:
    return {"scale": scale, "offset": offset}


def _added(left: float | None, right: float | None) -> Json | None:
    number = right if left is None else left
    return None if number is None else _affine(1.0, number)


def _multiplied(left: float | None, right: float | None) -> Json | None:
    number = right if left is None else left
    return None if number is None else _affine(number)


def _subtracted(left: float | None, right: float | None) -> Json | None:
    if left is not None:
        return _affine(-1.0, left)
    return None if right is None else _affine(1.0, -right)


def _divided(left: float | None, right: float | None) -> Json | None:
    return None if left is not None or not right else _affine(1 / right)


def _extreme(left: float | None, right: float | None) -> None:
    """Tell that no layer takes the larger of a tensor and a number."""


def _softmax(call: _OperatorCall) -> Layer | None:
    options = dict(call.options)
    axis = options.pop("axis", -1)
    return None if options else ("Softmax", {"axis": axis})


def _leaky(call: _OperatorCall) -> Layer:
    return "LeakyReLU", {"negative_slope": call.options.get("alpha", 0.2)}


def _concat(call: _OperatorCall) -> Layer | None:
    axis = call.options.get("axis")
    return ("Concatenate", {"axis": axis}) if isinstance(axis, int) else None


def _mean(call: _OperatorCall) -> Layer | None:
    axes = call.options.get("axis")
    if axes not in ([1, 2], [-3, -2]):
        return None
    return "GlobalAveragePooling2D", {
        "keepdims": bool(call.options.get("keepdims", False))
    }


def _resize(call: _OperatorCall) -> Layer | None:
    options = dict(call.options)
    size, method = options.pop("size", None), options.pop("method", "bilinear")
    if any(options.values()) or not _is_size(size) or method not in _METHODS:
        return None
    height, width = size
    return "Resizing", {"height": height, "width": width, "interpolation": method}


def _old_resize(call: _OperatorCall) -> Layer | None:
    options = dict(call.options)
    size = options.pop("size", None)
    flags = {
        key: bool(options.pop(key, False))
        for key in ("align_corners", "half_pixel_centers")
    }
    if options or not _is_size(size):
        return None
    sides = {"height": size[0], "width": size[1]}
    return "edgeseg>BilinearResize", {**sides, **flags}


def _is_size(size: object) -> bool:
    return isinstance(size, list) and [type(side) for side in size] == [int, int]


_METHODS = ("bilinear", "nearest", "bicubic")
_TABLE: dict[str, Callable[[_OperatorCall], Layer | None]] = {
    "__operators__.add": _merged("Add", _added),
    "__operators__.mul": _merged("Multiply", _multiplied),
    "__operators__.sub": _merged("Subtract", _subtracted),
    "__operators__.truediv": _merged("", _divided),
    "compat.v1.image.resize_bilinear": _old_resize,
    "concat": _concat,
    "identity": _plain("Identity"),
    "image.resize": _resize,
    "math.add": _merged("Add", _added),
    "math.maximum": _merged("Maximum", _extreme),
    "math.minimum": _merged("Minimum", _extreme),
    "math.multiply": _merged("Multiply", _multiplied),
    "math.negative": _plain("Rescaling", scale=-1.0, offset=0.0),
    "math.reduce_mean": _mean,
    "math.sigmoid": _plain("Activation", activation="sigmoid"),
    "math.subtract": _merged("Subtract", _subtracted),
    "math.tanh": _plain("Activation", activation="tanh"),
    "math.truediv": _merged("", _divided),
    "nn.leaky_relu": _leaky,
    "nn.relu": _plain("ReLU"),
    "nn.relu6": _plain("ReLU", max_value=6.0),
    "nn.silu": _plain("Activation", activation="silu"),
    "nn.softmax": _softmax,
}
