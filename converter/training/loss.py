"""Cross-entropy of scores against a distribution a pixel, weighted a pixel.

A target ``(N, H, W, C + 1)`` float32 holds the distribution over C classes and, last,
the pixel's weight. Truth, a teacher's answer and any mixture of both have that form;
void is a weight of 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.frameworks import KerasTensor
    from edgeseg.devices.types import Array


def cross_entropy_every(
    every: int,
) -> Callable[[KerasTensor, KerasTensor], KerasTensor]:
    """Return a `cross_entropy` of one row and one column of the scores in so many.

    The target has those alone.
    """

    def thinned(target: KerasTensor, scores: KerasTensor) -> KerasTensor:
        return cross_entropy(target, scores[:, ::every, ::every])

    return cross_entropy if every == 1 else thinned


def cross_entropy(target: KerasTensor, scores: KerasTensor) -> KerasTensor:
    """Return the mean cross-entropy over weighted pixels, in nats.

    Parameters
    ----------
    target : tensor of any Keras backend
        ``(N, H, W, C + 1)``: distribution and weight.
    scores : tensor
        ``(N, H, W, C)`` logits.

    Returns
    -------
    tensor
        A scalar; 0 where every weight is 0.
    """
    ops = need("keras").ops
    share, weight = target[..., :-1], target[..., -1]
    each = -ops.sum(share * ops.log_softmax(scores, axis=-1), axis=-1)
    total = ops.sum(weight)
    return ops.sum(each * weight) / ops.where(total > 0, total, 1.0)


def one_hot(ids: NDArray[np.uint8], weights: NDArray[np.float32]) -> Array:
    """Return the target of true ids.

    Parameters
    ----------
    ids : ndarray
        ``(H, W)`` uint8, 255 void.
    weights : ndarray
        ``(C,)`` float32, the weight of each class.

    Returns
    -------
    ndarray
        ``(H, W, C + 1)`` float32; zeros where void.

    Examples
    --------
    >>> import numpy as np
    >>> one_hot(np.uint8([[1, 255]]), np.float32([1, 2])).tolist()
    [[[0.0, 1.0, 2.0], [0.0, 0.0, 0.0]]]
    """
    import numpy as np

    count = len(weights)
    table = np.zeros((256, count + 1), np.float32)
    table[:count, :count] = np.eye(count)
    table[:count, count] = weights
    return table[ids]


def mixed(
    truth: NDArray[np.float32], teacher: NDArray[np.float32], share: float
) -> NDArray[np.float32]:
    """Return truth and a teacher's answer in one target.

    Parameters
    ----------
    truth : ndarray
        ``(H, W, C + 1)`` from `one_hot`.
    teacher : ndarray
        ``(H, W, C)`` float32 probabilities; a pixel of zeros has no answer.
    share : float
        What the teacher counts for where there is truth, 0..1; void pixels take the
        teacher alone, with weight `share`.
    """
    import numpy as np

    known = truth[..., -1:] > 0
    answered = teacher.sum(axis=-1, keepdims=True) > 0
    mix = np.where(known, share, 1.0) * answered
    target = np.empty_like(truth)
    target[..., :-1] = (1 - mix) * truth[..., :-1] + mix * teacher
    target[..., -1:] = np.where(known, truth[..., -1:], share * answered)
    return target
