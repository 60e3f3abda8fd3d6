"""Weights to integers so that a layer's output changes least.

Rounding each weight to the nearest step minimizes the error of the weights. What
counts is the error of the output, ``(w - q) X``: with the covariance ``H`` of the
inputs ``X`` it is ``(w - q) H (w - q)'``, and the mean of the inputs goes into the
bias. One weight after the other is set to the step that minimizes it while the others
stand still, until none moves: coordinate descent, which never makes it worse.

References
----------
K. Behdin et al., "QuantEase: Optimization-based Quantization for Language Models",
2023 (coordinate descent on the layer's output). C. Sakr et al., "Optimal Clipping and
Magnitude-aware Differentiation for Improved Quantization-aware Training", ICML 2022
(OCTAV, the clipping that minimizes the mean squared error). M. Nagel et al.,
"Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019.
Padding: TensorFlow's rule for ``SAME`` is ``max((out - 1) * stride + (k - 1) * dilation
+ 1 - in, 0)`` in all, the smaller half in front.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import FlatOperator
    from edgeseg.converter.quantization.flatbuffer import FlatModel
    from edgeseg.devices.types import Array


LIMIT = 127  # int8, symmetric: TensorFlow Lite's weights leave -128 unused
_SWEEPS = 4  # further ones move less than a weight in ten thousand
_DAMPING = 0.01  # of the mean variance: keeps directions that were never seen in check
_BLOCK = 64  # columns between two updates of the whole residual
_NEWTON_STEPS = 20
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def clipped_scales(rows: Array, bits: int = 8) -> Array:
    """Return the step of each row that minimizes the squared error of its weights.

    Parameters
    ----------
    rows : ndarray
        ``(R, D)`` float weights, one row an output channel.
    bits : int
        Width of the integers.

    Returns
    -------
    ndarray
        ``(R,)`` float64, 0 where a row is all zero.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(clipped_scales(np.array([[0.5, -1.27, 1.0]]))[0]), 4)
    0.01
    """
    import numpy as np

    size = np.abs(rows)
    largest = size.max(axis=1)
    noise = 4.0**-bits / 3
    clip = largest.copy()
    for _ in range(_NEWTON_STEPS):
        above = size >= clip[:, None]
        count = above.sum(axis=1)
        denominator = noise * (rows.shape[1] - count) + count
        clip = np.where(count > 0, (size * above).sum(axis=1) / denominator, clip)
    scales: Array = np.minimum(clip, largest) / LIMIT
    return scales


def nearest_steps(rows: Array, scales: Array) -> Array:
    """Return ``(R, D)`` float64 whole numbers -127..127 nearest to ``rows / scale``."""
    import numpy as np

    steps: Array = np.clip(np.rint(rows / scales[:, None]), -LIMIT, LIMIT)
    return steps


def settle_steps(rows: Array, scales: Array, covariance: Array) -> Array:
    """Return the whole numbers that keep the outputs of a layer closest.

    Parameters
    ----------
    rows : ndarray
        ``(R, D)`` float weights.
    scales : ndarray
        ``(R,)`` steps, positive.
    covariance : ndarray
        ``(D, D)`` of the layer's inputs.

    Returns
    -------
    ndarray
        ``(R, D)`` float64 whole numbers -127..127.
    """
    import numpy as np

    hessian = _damped(covariance)
    steps = nearest_steps(rows, scales)
    residual = (rows - steps * scales[:, None]) @ hessian
    for _ in range(_SWEEPS):
        before = steps.copy()
        for start in range(0, rows.shape[1], _BLOCK):
            block = slice(start, start + _BLOCK)
            change = _settle_block(
                steps[:, block], scales, hessian[block, block], residual[:, block]
            )
            residual -= change @ hessian[block]
        if np.array_equal(before, steps):
            break
    return steps


def settle_depthwise(rows: Array, scales: Array, covariance: Array) -> Array:
    """Return the same for a depthwise convolution: each row has its own covariance.

    Parameters
    ----------
    rows, scales
        ``(C, D)`` and ``(C,)``.
    covariance : ndarray
        ``(C, D, D)``.
    """
    import numpy as np

    hessian = _damped(covariance)
    steps = nearest_steps(rows, scales)
    for _ in range(_SWEEPS):
        error = rows - steps * scales[:, None]
        residual = np.einsum("cd,cde->ce", error, hessian)
        for place in range(rows.shape[1]):
            wish = steps[:, place] + residual[:, place] / (
                hessian[:, place, place] * scales
            )
            chosen = np.clip(np.rint(wish), -LIMIT, LIMIT)
            moved = (chosen - steps[:, place]) * scales
            residual -= moved[:, None] * hessian[:, place]
            steps[:, place] = chosen
    return steps


def _settle_block(
    steps: Array,
    scales: Array,
    hessian: Array,
    residual: Array,
) -> Array:
    """Settle some columns in place; return by how much their weights moved."""
    import numpy as np

    local = residual.copy()
    change = np.zeros_like(local)
    for place in range(steps.shape[1]):
        wish = steps[:, place] + local[:, place] / (hessian[place, place] * scales)
        chosen = np.clip(np.rint(wish), -LIMIT, LIMIT)
        change[:, place] = (chosen - steps[:, place]) * scales
        local -= change[:, place, None] * hessian[place]
        steps[:, place] = chosen
    return change


def _damped(covariance: Array) -> Array:
    import numpy as np

    size = covariance.shape[-1]
    mean = np.trace(covariance, axis1=-2, axis2=-1) / size
    # an input that never varies still needs a positive curvature
    ridge = np.maximum(_DAMPING * mean, 1e-12)
    damped: Array = covariance + np.asarray(ridge)[..., None, None] * np.eye(size)
    return damped


@dataclass(frozen=True)
class Windows:
    """Geometry of one convolution.

    Parameters
    ----------
    kernel, stride, dilation, grid : (int, int)
        Height and width; ``grid`` is the output's.
    before : (int, int)
        Rows and columns of padding in front.
    extent : (int, int)
        Height and width of the padded input.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    grid: tuple[int, int]
    before: tuple[int, int]
    extent: tuple[int, int]

    def sample(self, values: Array, positions: Array, padding: float) -> Array:
        """Return the windows that the output at some positions is made of.

        Parameters
        ----------
        values : ndarray
            ``(1, H, W, C)`` input.
        positions : ndarray
            ``(P,)`` indices into the output's grid, row by row.
        padding : float
            Value outside of the input.

        Returns
        -------
        ndarray
            ``(P, kernel height * width, C)``.
        """
        import numpy as np

        rows, columns = np.divmod(positions, self.grid[1])
        padded = self._pad(values[0], padding)
        down = (
            rows[:, None] * self.stride[0]
            + np.arange(self.kernel[0]) * (self.dilation[0])
        )
        across = (
            columns[:, None] * self.stride[1]
            + np.arange(self.kernel[1]) * (self.dilation[1])
        )
        windows = padded[down[:, :, None], across[:, None, :]]
        return windows.reshape(len(positions), -1, values.shape[-1])

    def _pad(self, picture: Array, padding: float) -> Array:
        import numpy as np

        height, width, channels = picture.shape
        if self.extent == (height, width):
            return picture
        padded = np.full((*self.extent, channels), padding, picture.dtype)
        top, left = self.before
        fits = picture[: self.extent[0] - top, : self.extent[1] - left]
        padded[top : top + fits.shape[0], left : left + fits.shape[1]] = fits
        return padded


def windows_of(flat: FlatModel, operator: FlatOperator) -> Windows:
    """Return the geometry of a CONV_2D or DEPTHWISE_CONV_2D."""
    options = operator.builtinOptions
    source = flat.shape(int(operator.inputs[0]))[1:3]
    kernel = flat.shape(int(operator.inputs[1]))[1:3]
    grid = flat.shape(int(operator.outputs[0]))[1:3]
    stride = (options.strideH, options.strideW)
    dilation = (options.dilationHFactor, options.dilationWFactor)
    reach = [
        (grid[a] - 1) * stride[a] + (kernel[a] - 1) * dilation[a] + 1 for a in (0, 1)
    ]
    missing = [max(reach[a] - source[a], 0) for a in (0, 1)]
    return Windows(
        kernel=(kernel[0], kernel[1]),
        stride=stride,
        dilation=dilation,
        grid=(grid[0], grid[1]),
        before=(missing[0] // 2, missing[1] // 2),
        extent=(max(reach[0], source[0]), max(reach[1], source[1])),
    )
