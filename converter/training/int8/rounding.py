"""The rounding of int8 in float arithmetic, with gradients that pass through it.

Rounding has a gradient of zero almost everywhere. Training takes it for the identity
instead (a straight-through gradient): of an activation inside of its range, so that
what int8 clips learns nothing, and of every weight, since the clipping that suits the
weights leaves the largest one outside by a hair. Only `keras.ops`: any backend.

References
----------
B. Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", CVPR 2018. C. Sakr et al., "Optimal Clipping and
Magnitude-aware Differentiation for Improved Quantization-aware Training", ICML 2022.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.converter.quantization.rounding import LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.converter.frameworks import KerasTensor
    from edgeseg.devices.types import Array

_LOWEST, _HIGHEST = -128, 127
_SMALLEST_SCALE = 1e-10  # of a channel whose weights are all zero
_SMALLEST_STEP = 1e-9  # of an activation that is always zero
_NEWTON_STEPS = 20  # as the converter takes
_NOISE = 4.0**-8 / 3  # mean squared error of rounding to 8 bits, in clippings squared


def activation_steps(low: float, high: float) -> tuple[float, int]:
    """Return scale and zero point of an int8 tensor that holds a range, and 0 exactly.

    In float32, as ai-edge-quantizer computes: for -1..1 the zero point is half-way
    between two whole numbers, and the last bit decides.

    Examples
    --------
    >>> activation_steps(-64.0, 63.5)
    (0.5, 0)
    >>> activation_steps(-1.0, 1.0)[1]
    -1
    """
    import numpy as np

    least, most = np.float32(min(low, 0.0)), np.float32(max(high, 0.0))
    step = np.float32(most - least) / np.float32(_HIGHEST - _LOWEST)
    scale = max(np.float32(step), np.float32(_SMALLEST_STEP))
    return float(scale), int(np.rint(np.float32(_LOWEST) - least / scale))


def fake_quantize(x: KerasTensor, scale: float, zero_point: int) -> KerasTensor:
    """Return real values as an int8 tensor of these steps would hold them.

    Parameters
    ----------
    x : tensor of any Keras backend
        Real values, any shape, float32.
    scale, zero_point : float, int
        ``real = scale * (stored - zero_point)``, stored in -128..127.

    Returns
    -------
    tensor
        The same shape and type. Its gradient is 1 where `x` is between the lowest
        and the highest real value that can be stored, else 0.
    """
    ops = need("keras").ops
    fixed = ops.stop_gradient(x)
    stored = ops.clip(ops.round(fixed / scale) + zero_point, _LOWEST, _HIGHEST)
    low, high = ((end - zero_point) * scale for end in (_LOWEST, _HIGHEST))
    inside = ops.cast(ops.logical_and(fixed >= low, fixed <= high), x.dtype)
    # the difference is zero: it adds a gradient and no value
    return (stored - zero_point) * scale + inside * (x - fixed)


def fake_quantize_weights(
    weights: KerasTensor, channel_axes: Sequence[int]
) -> KerasTensor:
    """Return weights as int8 holds them: symmetric steps of its own for each channel.

    Parameters
    ----------
    weights : tensor of any Keras backend
        A kernel, float32.
    channel_axes : sequence of int
        Axes that number the output channels; steps are chosen over all others, with
        the clipping of least squared error, as the converter does.

    Returns
    -------
    tensor
        The same shape and type, of gradient 1.
    """
    ops = need("keras").ops
    fixed = ops.stop_gradient(weights)
    scales = weight_scales(fixed, channel_axes)
    stored = ops.clip(ops.round(fixed / scales), -LIMIT, LIMIT)
    return stored * scales + (weights - fixed)


def weight_scales(weights: KerasTensor, channel_axes: Sequence[int]) -> KerasTensor:
    """Return the step of each output channel; see `rounding.clipped_scales`.

    Parameters
    ----------
    weights : tensor of any Keras backend
        Without a gradient.
    channel_axes : sequence of int
        Axes that number the output channels.

    Returns
    -------
    tensor
        float32, positive, 1 long along all other axes.
    """
    ops = need("keras").ops
    axes = tuple(i for i in range(len(weights.shape)) if i not in channel_axes)
    count = 1
    for axis in axes:
        count *= int(weights.shape[axis])
    size = ops.abs(weights)
    largest = ops.max(size, axis=axes, keepdims=True)

    def improve(_: KerasTensor, clip: KerasTensor) -> KerasTensor:
        above = ops.cast(size >= clip, size.dtype)
        number = ops.sum(above, axis=axes, keepdims=True)
        total = ops.sum(size * above, axis=axes, keepdims=True)
        better = total / (_NOISE * (count - number) + number + _SMALLEST_SCALE)
        return ops.where(number > 0, better, clip)

    clip = ops.fori_loop(0, _NEWTON_STEPS, improve, largest)
    scales = ops.minimum(clip, largest) / LIMIT
    return ops.maximum(scales, _SMALLEST_SCALE)


def weights_on_grid(weights: Array, channel_axes: Sequence[int]) -> Array:
    """Return rounded weights for which the converter finds the very same integers.

    The clipping of least squared error is a hair below the largest weight, so that
    of weights that are whole steps it would find smaller steps, and shrink them all.
    The largest ones are therefore lifted by that hair; they clip to where they were.

    Parameters
    ----------
    weights : ndarray
        A kernel, float32.
    channel_axes : sequence of int
        Axes that number the output channels.

    Returns
    -------
    ndarray
        float32, the same shape.
    """
    import numpy as np

    ops = need("keras").ops
    tensor = ops.convert_to_tensor(weights)
    scales = ops.convert_to_numpy(weight_scales(tensor, channel_axes))
    steps = np.clip(np.rint(weights / scales), -LIMIT, LIMIT)
    return lifted(steps, scales, channel_axes)


def lifted(steps: Array, scales: Array, channel_axes: Sequence[int]) -> Array:
    """Return weights for which the converter finds given integers.

    Parameters
    ----------
    steps : ndarray
        Whole numbers -127..127 in the shape of a kernel, of which each channel has
        one at an end.
    scales : ndarray
        Of each channel, 1 long along all other axes.
    channel_axes : sequence of int
        Axes that number the output channels.

    Returns
    -------
    ndarray
        float32, the same shape.
    """
    import numpy as np

    axes = tuple(i for i in range(steps.ndim) if i not in channel_axes)
    ends = np.abs(steps) == LIMIT
    number = np.maximum(ends.sum(axis=axes, keepdims=True), 1)
    count = steps.size // number.size
    hair = _NOISE * (count - number) / number
    held: Array = (steps * scales * (1 + hair * ends)).astype(np.float32)
    return held
