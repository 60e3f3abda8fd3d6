"""The weights of a quantized model replaced by better rounded ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.moments import is_refinable
from edgeseg.converter.quantization.rounding import (
    LIMIT,
    clipped_scales,
    nearest_steps,
    settle_depthwise,
    settle_steps,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.converter.frameworks import FlatOperator
    from edgeseg.converter.quantization.moments import Moments
    from edgeseg.devices.types import Array

# A bias is int32 in steps of input scale times weight scale: half of that range
_LARGEST_BIAS = 2.0**30
_SMALLEST_SCALE = 1e-10  # of a channel whose weights are all zero


@dataclass(frozen=True)
class IntegerWeights:
    """The weights of one convolution as integers, and the bias that goes with them.

    Parameters
    ----------
    scales : ndarray
        ``(R,)`` float32, one an output channel.
    steps : ndarray
        ``(R, D)`` int8, -127..127; a depthwise convolution has its window in D.
    correction : ndarray
        ``(R,)`` float32: what to add to the float bias, so that the mean output
        over the calibration pictures stays what it was.
    """

    scales: Array
    steps: Array
    correction: Array


def round_weights(
    flat: FlatModel, operator: FlatOperator, moments: Moments
) -> IntegerWeights:
    """Round the weights of a convolution for the inputs that it sees.

    Parameters
    ----------
    flat : FlatModel
        The float model.
    operator : OperatorT
        One of its convolutions; see `is_refinable`.
    moments : Moments
        Of what it reads.
    """
    import numpy as np

    rows = weight_rows(flat, operator)
    scales = np.maximum(clipped_scales(rows), _SMALLEST_SCALE).astype(np.float32)
    covariance, mean = moments.covariance, moments.mean
    if covariance is None:
        steps = nearest_steps(rows, scales)
    elif covariance.ndim == 3:
        steps = settle_depthwise(rows, scales, covariance)
    else:
        steps = settle_steps(rows, scales, covariance)
    stored = steps * scales[:, None]
    correction = ((rows - stored) * mean).sum(axis=1)
    return IntegerWeights(scales, steps.astype(np.int8), correction.astype(np.float32))


def weight_rows(flat: FlatModel, operator: FlatOperator) -> Array:
    """Return a convolution's weights ``(R, D)`` float64, a row an output channel."""
    import numpy as np

    weights = flat.constant(int(operator.inputs[1]))
    assert weights is not None  # is_refinable saw to it
    wide: Array = weights.astype(np.float64)
    if flat.kind(operator) == "CONV_2D":
        return wide.reshape(len(wide), -1)
    return wide.reshape(-1, wide.shape[-1]).T


def rows_at(flat: FlatModel, place: int) -> Array:
    """Return the weight rows of the operator at a place in the graph.

    Raises
    ------
    ValueError
        There is no convolution with constant weights.
    """
    operators = flat.graph.operators
    if not 0 <= place < len(operators) or not is_refinable(flat, operators[place]):
        raise ValueError(f"operator {place} is no convolution that can be rounded")
    return weight_rows(flat, operators[place])


def apply_rounding(
    quantized: bytes, flat: FlatModel, rounded: Mapping[int, IntegerWeights]
) -> bytes:
    """Return a quantized model with the rounded weights in place of its own.

    Operators that kept float weights are left as they are.

    Parameters
    ----------
    quantized : bytes
        What the quantizer made of `flat`.
    flat : FlatModel
        The float model.
    rounded : mapping of int to IntegerWeights
        By the operator's place in `flat`.
    """
    result = FlatModel(quantized)
    by_kernel = {
        result.name(int(o.inputs[1])): o
        for o in result.graph.operators
        if len(o.inputs) > 2 and o.inputs[1] >= 0
    }
    for place, weights in rounded.items():
        source = flat.graph.operators[place]
        operator = by_kernel.get(flat.name(int(source.inputs[1])))
        if operator is not None and result.dtype(int(operator.inputs[1])) == "int8":
            _replace(result, operator, flat, source, weights)
    return result.to_bytes()


def _replace(
    result: FlatModel,
    operator: FlatOperator,
    flat: FlatModel,
    source: FlatOperator,
    weights: IntegerWeights,
) -> None:
    import numpy as np

    data, kernel = (int(t) for t in operator.inputs[:2])
    bias = _own_bias(result, operator)
    real_bias = flat.constant(int(source.inputs[2])) + weights.correction
    if result.dtype(bias) == "float32":  # activations stayed float
        scales, steps = weights.scales, weights.steps
        result.set_constant(bias, real_bias.astype(np.float32))
    else:
        input_scale, _ = result.quantization(data)
        scales, steps = _fitting(weights, real_bias, input_scale)
        bias_scales = scales * np.float32(input_scale)
        whole = np.rint(real_bias.astype(np.float64) / bias_scales)
        result.set_constant(bias, whole.astype(result.dtype(bias)))
        result.set_quantization(bias, bias_scales, np.zeros(len(scales)))
    depthwise = flat.kind(source) == "DEPTHWISE_CONV_2D"
    stored = steps.T if depthwise else steps
    result.set_constant(kernel, stored.reshape(result.shape(kernel)))
    axis = 3 if depthwise else 0
    result.set_quantization(kernel, scales, np.zeros(len(scales)), axis)


def _own_bias(result: FlatModel, operator: FlatOperator) -> int:
    """Return the bias; one that other operators read too is copied first.

    TensorFlow keeps one zero bias for all convolutions that have none.
    """
    data, kernel, bias = (int(t) for t in operator.inputs[:3])
    values = result.constant(bias)
    if values is None or len(result.consumers(bias)) == 1:
        return bias
    copy = result.add_constant(f"{result.name(kernel)}/bias", values)
    operator.inputs = [data, kernel, copy]
    return copy


def _fitting(
    weights: IntegerWeights, bias: Array, input_scale: float
) -> tuple[Array, Array]:
    """Widen the steps of channels whose bias would not fit into int32."""
    import numpy as np

    least = (np.abs(bias) / (input_scale * _LARGEST_BIAS)).astype(np.float32)
    scales = np.maximum(weights.scales, least)
    narrow = scales > weights.scales
    if not narrow.any():
        return scales, weights.steps
    steps = weights.steps.copy()
    ratio = (weights.scales / scales)[narrow, None]
    steps[narrow] = np.clip(np.rint(steps[narrow] * ratio), -LIMIT, LIMIT)
    return scales, steps
