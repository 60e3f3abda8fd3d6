"""Operators on each value: sums, products, activations; and sums over axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.converter.loading.tflite.call import with_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.converter.frameworks import KerasTensor
    from edgeseg.converter.loading.tflite.call import Call, Draw

# By the name in `keras.ops`
_BINARY = {
    "ADD": "add",
    "DIV": "divide",
    "MAXIMUM": "maximum",
    "MINIMUM": "minimum",
    "MUL": "multiply",
    "POW": "power",
    "SUB": "subtract",
}
_UNARY = {
    "ABS": "abs",
    "COS": "cos",
    "EXP": "exp",
    "FLOOR": "floor",
    "LOG": "log",
    "NEG": "negative",
    "ROUND": "round",
    "RSQRT": "rsqrt",
    "SIN": "sin",
    "SQRT": "sqrt",
    "SQUARE": "square",
}
_REDUCTIONS = {
    "MEAN": "mean",
    "REDUCE_MAX": "max",
    "REDUCE_MIN": "min",
    "SUM": "sum",
}
# By the name in `keras.activations`
_ACTIVATIONS = {
    "HARD_SWISH": "hard_silu",
    "LOGISTIC": "sigmoid",
    "RELU": "relu",
    "RELU6": "relu6",
    "TANH": "tanh",
}
_LOWEST, _HIGHEST = -1.0, 1.0  # of RELU_N1_TO_1


def activate(x: KerasTensor, kind: str | None, name: str) -> KerasTensor:
    """Return a tensor with a fused activation put behind it.

    Parameters
    ----------
    x : keras.KerasTensor
        What was computed.
    kind : str or None
        As `ACTIVATIONS` names it; None is none.
    name : str
        For the layer.
    """
    keras = need("keras")
    if kind is None:
        return x
    if kind == "relu_n1_to_1":
        return keras.ops.clip(x, _LOWEST, _HIGHEST)
    if kind == "relu6":
        return keras.layers.ReLU(6.0, name=name)(x)
    return keras.layers.Activation(kind, name=name)(x)


def _binary(call: Call) -> KerasTensor:
    keras = need("keras")
    first, second = call.values[:2]
    if call.kind == "ADD" and _are_alike(first, second):
        return keras.layers.Add(name=call.name)([first, second])
    return getattr(keras.ops, _BINARY[call.kind])(first, second)


def _are_alike(first: KerasTensor, second: KerasTensor) -> bool:
    kind = need("keras").KerasTensor
    both = isinstance(first, kind) and isinstance(second, kind)
    return both and first.shape == second.shape


def _squared_difference(call: Call) -> KerasTensor:
    ops = need("keras").ops
    return ops.square(ops.subtract(*call.values[:2]))


def _unary(call: Call) -> KerasTensor:
    return getattr(need("keras").ops, _UNARY[call.kind])(call.x)


def _activation(call: Call) -> KerasTensor:
    return activate(call.x, _ACTIVATIONS[call.kind], call.name)


def _relu_n1_to_1(call: Call) -> KerasTensor:
    return activate(call.x, "relu_n1_to_1", call.name)


def _relu_0_to_1(call: Call) -> KerasTensor:
    return need("keras").ops.clip(call.x, 0.0, _HIGHEST)


def _elu(call: Call) -> KerasTensor:
    return need("keras").layers.ELU(name=call.name)(call.x)


def _gelu(call: Call) -> KerasTensor:
    return need("keras").ops.gelu(call.x, approximate=bool(call.option("approximate")))


def _leaky_relu(call: Call) -> KerasTensor:
    slope = float(call.options.get("alpha") or 0.0)
    return need("keras").layers.LeakyReLU(slope, name=call.name)(call.x)


def _prelu(call: Call) -> KerasTensor:
    slope = call.known(1)
    slope = slope.reshape((1,) * (len(call.x.shape) - 1 - slope.ndim) + slope.shape)
    if slope.ndim == len(call.x.shape):
        slope = slope[0]
    shared = [axis + 1 for axis, length in enumerate(slope.shape) if length == 1]
    layer = need("keras").layers.PReLU(shared_axes=shared or None, name=call.name)
    return with_weights(layer, call.x, [slope])


def _softmax(call: Call) -> KerasTensor:
    beta = call.options.get("beta")
    if beta is not None and abs(float(beta) - 1) > 1e-6:
        raise call.unsupported(f"its beta is {float(beta):g}, not 1")
    return need("keras").layers.Softmax(name=call.name)(call.x)


def _log_softmax(call: Call) -> KerasTensor:
    return need("keras").ops.log_softmax(call.x)


def _reduction(call: Call) -> KerasTensor:
    keras = need("keras")
    rank = len(call.x.shape)
    axes = tuple(sorted(axis % rank for axis in call.numbers(1)))
    keep = bool(call.option("keepDims"))
    if call.kind == "MEAN" and axes == (1, 2) and rank == 4:
        layer = keras.layers.GlobalAveragePooling2D(keepdims=keep, name=call.name)
        return layer(call.x)
    reduce: Callable[..., KerasTensor] = getattr(keras.ops, _REDUCTIONS[call.kind])
    return reduce(call.x, axis=axes, keepdims=keep)


ARITHMETIC: dict[str, Draw] = {
    **dict.fromkeys(_BINARY, _binary),
    **dict.fromkeys(_UNARY, _unary),
    **dict.fromkeys(_ACTIVATIONS, _activation),
    **dict.fromkeys(_REDUCTIONS, _reduction),
    "ELU": _elu,
    "GELU": _gelu,
    "LEAKY_RELU": _leaky_relu,
    "LOG_SOFTMAX": _log_softmax,
    "PRELU": _prelu,
    "RELU_0_TO_1": _relu_0_to_1,
    "RELU_N1_TO_1": _relu_n1_to_1,
    "SOFTMAX": _softmax,
    "SQUARED_DIFFERENCE": _squared_difference,
}
