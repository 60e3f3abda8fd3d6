"""How far a difference of two models' scores may be chance: the paired bootstrap.

Pictures are drawn with replacement, the same ones for both models, and each draw is
scored by one confusion matrix a model. One seed gives one answer.

References
----------
B. Efron, R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (the
percentile interval).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.accuracy.class_counts import ClassCounts


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
    first: ClassCounts,
    second: ClassCounts,
    chosen: Sequence[int],
    *,
    samples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return the difference in mIoU of two models on the same pictures.

    Parameters
    ----------
    first, second : ClassCounts
        Of the same pictures, in the same order.
    chosen : sequence of int
        Class ids that the mean is taken over; a draw without truth of a class takes
        the mean over the others.
    samples : int
        Number of draws.
    level : float
        Share of draws inside the interval.
    seed : int
        Of the draws.

    Raises
    ------
    InputError
        The models were not scored on the same pictures, or the truth holds none of
        the classes.
    """
    import numpy as np

    whole, draws = _differences(first, second, chosen, samples, seed)
    if np.isnan(whole).all():
        raise InputError("the truth holds none of the classes asked for")
    drawn = draws[~np.isnan(draws).all(axis=1)]
    return _interval(float(np.nanmean(whole)), np.nanmean(drawn, axis=1), level)


def class_bootstrap(
    first: ClassCounts,
    second: ClassCounts,
    chosen: Sequence[int],
    *,
    samples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[Interval | None, ...]:
    """Return the difference in IoU of each class, None where the truth has none.

    Parameters are those of `paired_bootstrap`; the draws of one seed are the same.
    Draws that hold no truth of a class say nothing about it and are left out.
    """
    import numpy as np

    whole, draws = _differences(first, second, chosen, samples, seed)
    return tuple(
        None if np.isnan(d) else _interval(float(d), column[~np.isnan(column)], level)
        for d, column in zip(whole, draws.T, strict=True)
    )


def _differences(
    first: ClassCounts,
    second: ClassCounts,
    chosen: Sequence[int],
    samples: int,
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return IoU differences ``(K,)`` of all pictures and ``(samples, K)`` of draws."""
    import numpy as np

    shapes = first.right.shape, second.right.shape
    if shapes[0] != shapes[1] or not shapes[0][0]:
        raise InputError(
            f"expected counts of the same pictures, got {shapes[0]} and {shapes[1]}"
        )
    count = shapes[0][0]
    rng = np.random.default_rng(seed)
    weights = np.ones((samples + 1, count))  # the last row is every picture once
    weights[:samples] = rng.multinomial(count, np.full(count, 1 / count), samples)
    iou = [_drawn_iou(weights, counts, chosen) for counts in (first, second)]
    difference = iou[0] - iou[1]
    return difference[samples], difference[:samples]


def _drawn_iou(
    weights: NDArray[np.float64], counts: ClassCounts, chosen: Sequence[int]
) -> NDArray[np.float64]:
    """Return the IoU ``(draws, K)`` of the chosen classes, NaN without truth."""
    import numpy as np

    picked = np.array(chosen)
    # whole numbers below 2**53: the sums are exact, in whatever order they are made
    right, true, predicted = (
        weights @ each[:, picked].astype(np.float64)
        for each in (counts.right, counts.true, counts.predicted)
    )
    iou = np.full_like(right, np.nan)
    np.divide(right, true + predicted - right, out=iou, where=true > 0)
    return iou


def _interval(difference: float, draws: NDArray[np.float64], level: float) -> Interval:
    import numpy as np

    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Interval(difference, float(low), float(high))
