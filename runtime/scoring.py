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
from edgeseg.runtime.labels import same_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

VOID = 255


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


@dataclass(frozen=True)
class Interval:
    """A difference of two scores with its confidence interval, in 0..1.

    Parameters
    ----------
    difference : float
        First minus second.
    low, high : float
        Bounds of the interval.
    """

    difference: float
    low: float
    high: float


def paired_bootstrap(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    chosen: Sequence[int],
    *,
    samples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return the difference in mIoU of two models on the same pictures.

    Pictures are drawn with replacement, the same ones for both models, and each draw
    is scored by one confusion matrix a model.

    Parameters
    ----------
    first, second : ndarray
        ``(N, C, C)`` int64, one confusion matrix a picture, in the same order.
    chosen : sequence of int
        Class ids that the mean is taken over.
    samples : int
        Number of draws.
    level : float
        Share of draws inside the interval (percentile method).
    seed : int
        Of the draws.

    Raises
    ------
    InputError
        The models were not scored on the same number of pictures.

    References
    ----------
    B. Efron, R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    import numpy as np

    if first.shape != second.shape:
        raise InputError(
            f"expected matrices of the same pictures, got {first.shape} and "
            f"{second.shape}"
        )
    rng = np.random.default_rng(seed)
    count = len(first)
    differences = []
    for _ in range(samples):
        weights = np.bincount(rng.integers(0, count, count), minlength=count)
        drawn = [np.tensordot(weights, m, axes=1) for m in (first, second)]
        differences.append(_mean_iou(drawn[0], chosen) - _mean_iou(drawn[1], chosen))
    tail = (1 - level) / 2
    low, high = np.quantile(differences, [tail, 1 - tail])
    whole = [_mean_iou(m.sum(axis=0), chosen) for m in (first, second)]
    return Interval(whole[0] - whole[1], float(low), float(high))


def _mean_iou(matrix: NDArray[np.int64], chosen: Sequence[int]) -> float:
    import numpy as np

    picked = np.array(chosen)
    present = picked[matrix.sum(axis=1)[picked] > 0]
    return float(class_iou(matrix)[present].mean())


@dataclass(frozen=True)
class Matching:
    """Two label sets brought to one: what each id counts as.

    Parameters
    ----------
    labels : tuple of str
        The data set's labels.
    chosen : tuple of int
        Their ids that the mean is taken over.
    truth_table, predicted_table : ndarray
        ``(256,)`` uint8: the id that a truth id, a predicted id counts as.
    """

    labels: tuple[str, ...]
    chosen: tuple[int, ...]
    truth_table: NDArray[np.uint8]
    predicted_table: NDArray[np.uint8]


def match_labels(
    truth: Sequence[str],
    predicted: Sequence[str],
    *,
    classes: Sequence[str] | None = None,
    merge_others: bool = False,
) -> Matching:
    """Match two label sets by name.

    Truth of a class that the model does not know counts as background, and so does
    the prediction of a class that the data set does not know.

    Parameters
    ----------
    truth, predicted : sequence of str
        Labels of the data set and of the model.
    classes : sequence of str or None
        Names to average over; None takes the classes that both know.
    merge_others : bool
        Count every class that is not named in ``classes`` as background on both
        sides, so that models with different label sets compare fairly.

    Raises
    ------
    InputError
        A named class is in neither set, or there is no background to count as.
    """
    import numpy as np

    truth_ids = {same_name(name): i for i, name in enumerate(truth)}
    model_names = {same_name(name) for name in predicted}
    named = [same_name(name) for name in (classes or truth)]
    unknown = [name for name in named if name not in truth_ids]
    if unknown:
        raise InputError(
            f"no class {', '.join(map(repr, unknown))} in the data set; known: "
            f"{', '.join(truth)}"
        )
    if not set(truth_ids) & model_names:
        raise InputError(
            "model and data set have no class name in common: "
            f"{', '.join(predicted[:4])}, ... and {', '.join(truth[:4])}, ..."
        )
    background = truth_ids.get("background")
    kept = set(truth_ids) & model_names
    if merge_others:
        kept &= set(named)
    truth_table = _table(truth, truth_ids, kept, background)
    predicted_table = _table(predicted, truth_ids, kept, background)
    chosen = [truth_ids[name] for name in named if classes or name in kept]
    truth_table[VOID] = VOID
    return Matching(
        tuple(truth), tuple(chosen), truth_table, np.asarray(predicted_table)
    )


def _table(
    labels: Sequence[str],
    truth_ids: dict[str, int],
    kept: set[str],
    background: int | None,
) -> NDArray[np.uint8]:
    import numpy as np

    table = np.arange(256, dtype=np.uint8)
    for class_id, name in enumerate(map(same_name, labels)):
        if name in kept:
            table[class_id] = truth_ids[name]
        elif background is None:
            raise InputError(
                f"class {name!r} is not on both sides and the data set has no "
                "background to count it as"
            )
        else:
            table[class_id] = background
    return table
