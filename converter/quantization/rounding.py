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
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIMIT = 127  # int8, symmetric: TensorFlow Lite's weights leave -128 unused
_SWEEPS = 4  # further ones move less than a weight in ten thousand
_DAMPING = 0.01  # of the mean variance: keeps directions that were never seen in check
_BLOCK = 64  # columns between two updates of the whole residual
_NEWTON_STEPS = 20


def clipped_scales(rows: NDArray[Any], bits: int = 8) -> NDArray[Any]:
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
    scales: NDArray[Any] = np.minimum(clip, largest) / LIMIT
    return scales


def nearest_steps(rows: NDArray[Any], scales: NDArray[Any]) -> NDArray[Any]:
    """Return ``(R, D)`` float64 whole numbers -127..127 nearest to ``rows / scale``."""
    import numpy as np

    steps: NDArray[Any] = np.clip(np.rint(rows / scales[:, None]), -LIMIT, LIMIT)
    return steps


def settle_steps(
    rows: NDArray[Any], scales: NDArray[Any], covariance: NDArray[Any]
) -> NDArray[Any]:
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


def settle_depthwise(
    rows: NDArray[Any], scales: NDArray[Any], covariance: NDArray[Any]
) -> NDArray[Any]:
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
    steps: NDArray[Any],
    scales: NDArray[Any],
    hessian: NDArray[Any],
    residual: NDArray[Any],
) -> NDArray[Any]:
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


def _damped(covariance: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    size = covariance.shape[-1]
    mean = np.trace(covariance, axis1=-2, axis2=-1) / size
    # an input that never varies still needs a positive curvature
    ridge = np.maximum(_DAMPING * mean, 1e-12)
    damped: NDArray[Any] = covariance + np.asarray(ridge)[..., None, None] * np.eye(
        size
    )
    return damped
