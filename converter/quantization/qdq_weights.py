"""The weights of a network with int8 steps: rounded, in ONNX' order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.quantization.rounding import clipped_scales, nearest_steps

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import FlatOperator
    from edgeseg.converter.quantization.flatbuffer import FlatModel
    from edgeseg.converter.quantization.refine import IntegerWeights
    from edgeseg.devices.types import Array

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")
_SMALLEST = 1e-10  # scale of a channel whose weights are all zero


@dataclass(frozen=True)
class WeightSteps:
    """The integers that a layer's weights were rounded to.

    Parameters
    ----------
    values : ndarray
        float32 weights in ONNX' order: ``(O, I, H, W)``, of a transposed convolution
        ``(I, O, H, W)``, of a fully connected layer ``(I, O)``; multiples of `scales`.
    scales : ndarray
        ``(O,)`` float32, positive.
    axis : int
        Which axis of `values` has O entries.
    """

    values: Array
    scales: Array
    axis: int


def weights_of(flat: FlatModel, operator: FlatOperator) -> Array | None:
    """Return a layer's constant float32 weights; None where it has no such."""
    weights = flat.constant(int(operator.inputs[1]))
    return None if weights is None or weights.dtype != "float32" else weights


def round_layer(
    flat: FlatModel, operator: FlatOperator, rounded: IntegerWeights | None
) -> WeightSteps:
    """Round the weights of a layer in place, and correct its bias by what that changes.

    Parameters
    ----------
    flat : FlatModel
        The network; weights that other layers share are left to them.
    operator : OperatorT
        One of `WEIGHTED`.
    rounded : IntegerWeights or None
        From calibration; None rounds to the nearest step.
    """
    import numpy as np

    weights, kernel = weights_of(flat, operator), int(operator.inputs[1])
    assert weights is not None  # the caller saw to it
    axis = weights.ndim - 1 if flat.kind(operator) == "DEPTHWISE_CONV_2D" else 0
    if rounded is None:
        rows = np.moveaxis(weights, axis, 0).reshape(weights.shape[axis], -1)
        rows = rows.astype(np.float64)
        scales = np.maximum(clipped_scales(rows), _SMALLEST).astype(np.float32)
        steps = nearest_steps(rows, scales)
    else:
        scales, steps = rounded.scales, rounded.steps
        _correct_bias(flat, operator, rounded)
    values = steps.astype(np.float32) * scales[:, None]
    stored = (values.T if axis else values).reshape(weights.shape)
    operator.inputs[1] = flat.add_constant(f"{flat.name(kernel)}/steps", stored)
    return _in_onnx(flat.kind(operator), stored, scales)


def _correct_bias(
    flat: FlatModel, operator: FlatOperator, rounded: IntegerWeights
) -> None:
    import numpy as np

    bias = flat.constant(int(operator.inputs[2]))
    assert bias is not None  # is_refinable saw to it
    corrected = (bias + rounded.correction).astype(np.float32)
    name = f"{flat.name(int(operator.inputs[1]))}/bias"
    operator.inputs[2] = flat.add_constant(name, corrected)


def _in_onnx(kind: str, stored: Array, scales: Array) -> WeightSteps:
    """Return rounded weights in the order that ONNX has."""
    import numpy as np

    order, axis = {
        "CONV_2D": ((0, 3, 1, 2), 0),
        "DEPTHWISE_CONV_2D": ((3, 0, 1, 2), 0),
        "TRANSPOSE_CONV": ((3, 0, 1, 2), 1),
        "FULLY_CONNECTED": ((1, 0), 1),
    }[kind]
    values = np.ascontiguousarray(stored.transpose(order))
    return WeightSteps(values, scales, axis)
