"""Scores of a segmentation: one confusion matrix over a whole data set.

Rows are truth, columns are predictions. Truth 255 (void) is dropped, together with
what was predicted there. Fractions are in 0..1.

References
----------
M. Everingham et al., "The PASCAL Visual Object Classes Challenge: A Retrospective",
IJCV 2015 (IoU as true / (true + false positive + false negative) over all pixels).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.model.labels import VOID

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


def confusion_matrix(
    truth: NDArray[np.uint8], predicted: NDArray[np.uint8], classes: int
) -> NDArray[np.int64]:
    """Count pixels by true and predicted class.

    Parameters
    ----------
    truth, predicted : ndarray
        Class ids of the same shape; 255 in ``truth`` is void.
    classes : int
        Number of classes; both ids are below it.

    Returns
    -------
    ndarray
        ``(classes, classes)`` int64, truth down, prediction across.

    Raises
    ------
    InputError
        Shapes differ, or an id is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> truth, predicted = np.uint8([[0, 1, 255]]), np.uint8([[0, 0, 1]])
    >>> confusion_matrix(truth, predicted, 2)
    array([[1, 0],
           [1, 0]])
    """
    import numpy as np

    if truth.shape != predicted.shape:
        raise InputError(
            f"truth and prediction differ in size: {truth.shape} and {predicted.shape}"
        )
    counted = truth != VOID
    true_ids = truth[counted].astype(np.int64)
    predicted_ids = predicted[counted].astype(np.int64)
    for what, ids in (("truth", true_ids), ("prediction", predicted_ids)):
        if ids.size and ids.max() >= classes:
            raise InputError(
                f"expected class ids below {classes} in the {what}, got {ids.max()}"
            )
    joint = np.bincount(true_ids * classes + predicted_ids, minlength=classes**2)
    return joint.reshape(classes, classes).astype(np.int64)


def class_iou(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the IoU of each class, 0 where a class occurs on neither side.

    Parameters
    ----------
    matrix : ndarray
        ``(C, C)`` from `confusion_matrix`.

    Returns
    -------
    ndarray
        ``(C,)`` float64 in 0..1.

    Examples
    --------
    >>> import numpy as np
    >>> class_iou(np.array([[6, 2], [1, 3]])).round(3)
    array([0.667, 0.5  ])
    """
    import numpy as np

    right = np.diag(matrix).astype(np.float64)
    union = matrix.sum(axis=1) + matrix.sum(axis=0) - right
    iou = np.zeros_like(right)
    np.divide(right, union, out=iou, where=union > 0)
    return iou


@dataclass(frozen=True)
class Scores:
    """Scores that follow from one confusion matrix.

    Parameters
    ----------
    miou : float
        Mean IoU over the chosen classes that occur in the truth.
    per_class_iou : dict of str to (float or None)
        IoU of each chosen class; None where the truth does not have it.
    pixel_accuracy, mean_accuracy, fw_iou : float
        Share of pixels right; mean recall of the chosen classes; IoU weighted by
        the chosen classes' share of the truth.
    """

    miou: float
    per_class_iou: dict[str, float | None]
    pixel_accuracy: float
    mean_accuracy: float
    fw_iou: float


def scores(
    matrix: NDArray[np.int64],
    labels: Sequence[str],
    chosen: Sequence[int] | None = None,
) -> Scores:
    """Return the scores of a confusion matrix.

    Parameters
    ----------
    matrix : ndarray
        ``(C, C)`` from `confusion_matrix`.
    labels : sequence of str
        C names.
    chosen : sequence of int or None
        Class ids to average over; None takes all.

    Raises
    ------
    InputError
        The truth holds none of the chosen classes.
    """
    import numpy as np

    chosen_ids = np.arange(len(labels)) if chosen is None else np.array(chosen)
    true = matrix.sum(axis=1)
    present = chosen_ids[true[chosen_ids] > 0]
    if present.size == 0:
        raise InputError("the truth holds none of the classes asked for")
    right, iou = np.diag(matrix), class_iou(matrix)
    weights = true[present] / true[present].sum()
    return Scores(
        miou=float(iou[present].mean()),
        per_class_iou={
            labels[i]: float(iou[i]) if true[i] > 0 else None
            for i in chosen_ids.tolist()
        },
        pixel_accuracy=float(right.sum() / matrix.sum()),
        mean_accuracy=float((right[present] / true[present]).mean()),
        fw_iou=float((iou[present] * weights).sum()),
    )


def agreement(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Return the share of pixels with equal labels, 0..1.

    Parameters
    ----------
    first, second : ndarray
        Class ids of the same shape.

    Raises
    ------
    InputError
        Shapes differ, or there are no pixels.

    Examples
    --------
    >>> import numpy as np
    >>> agreement(np.uint8([0, 1, 2, 2]), np.uint8([0, 1, 2, 0]))
    0.75
    """
    if first.shape != second.shape or first.size == 0:
        raise InputError(
            f"expected class ids of one size, got {first.shape} and {second.shape}"
        )
    return int((first == second).sum()) / first.size
