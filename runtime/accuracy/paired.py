"""What two models' answers on the same pictures say: scores, drop, worst pictures.

Every difference is reference minus candidate: above 0 the candidate is worse.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from edgeseg.runtime.accuracy.bootstrap import (
    Interval,
    class_bootstrap,
    paired_bootstrap,
)
from edgeseg.runtime.accuracy.scores import Scores, class_iou, scores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json


@dataclass(frozen=True)
class ClassDifference:
    """One class's IoU with both models, in 0..1; None where the truth has none.

    Parameters
    ----------
    label : str
        Name of the class.
    reference, candidate, difference, low, high : float or None
        IoU of each, their difference and its 95 % interval.
    """

    label: str
    reference: float | None = None
    candidate: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Loss:
    """What one picture lost.

    Parameters
    ----------
    name : str
        Of the picture.
    loss : float
        Share of its pixels with truth that the reference has right and the candidate
        wrong, minus the share the other way round: in -1..1, the difference of the
        two pixel accuracies.
    agreement : float
        Share of its pixels with equal labels, 0..1.
    """

    name: str
    loss: float
    agreement: float


@dataclass(frozen=True, eq=False)
class PairedEvaluation:
    """Two models' answers on the same pictures, counted a picture.

    Parameters
    ----------
    names : tuple of str
        The N pictures.
    labels : tuple of str
        The data set's C labels.
    chosen : tuple of int
        Class ids that means are taken over.
    matrices : ndarray
        ``(2, N, C, C)`` int64: confusion matrices of the reference, the candidate.
    boundaries : ndarray
        ``(2, N, C + 1, C + 1)`` int64, from `boundary_matrix`.
    equal, pixels : ndarray
        ``(N,)`` int64: pixels with equal labels, and all pixels, void among them.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    chosen: tuple[int, ...]
    matrices: NDArray[np.int64]
    boundaries: NDArray[np.int64]
    equal: NDArray[np.int64]
    pixels: NDArray[np.int64]

    @cached_property
    def reference(self) -> Scores:
        """Scores of the reference."""
        return scores(self.matrices[0].sum(axis=0), self.labels, self.chosen)

    @cached_property
    def candidate(self) -> Scores:
        """Scores of the candidate."""
        return scores(self.matrices[1].sum(axis=0), self.labels, self.chosen)

    @cached_property
    def drop(self) -> Interval:
        """Difference in mIoU, 95 % interval by paired bootstrap over pictures."""
        return paired_bootstrap(self.matrices[0], self.matrices[1], self.chosen)

    @cached_property
    def boundary_drop(self) -> Interval:
        """Difference in mean boundary IoU, 95 % interval as in `drop`."""
        return paired_bootstrap(self.boundaries[0], self.boundaries[1], self.chosen)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that means are taken over."""
        return tuple(self.labels[i] for i in self.chosen)

    @property
    def agreement(self) -> float:
        """Share of all pixels with equal labels, 0..1."""
        return int(self.equal.sum()) / int(self.pixels.sum())

    @property
    def boundary_iou(self) -> tuple[float, float]:
        """Mean boundary IoU of reference and candidate, 0..1, over `classes`."""
        whole = self.boundaries.sum(axis=1)
        present = [i for i in self.chosen if whole[0, i].sum() > 0]
        first, second = (float(class_iou(m)[present].mean()) for m in whole)
        return first, second

    @cached_property
    def per_class(self) -> tuple[ClassDifference, ...]:
        """IoU of each chosen class with both models, and the difference's interval."""
        intervals = class_bootstrap(self.matrices[0], self.matrices[1], self.chosen)
        return tuple(
            ClassDifference(label)
            if interval is None
            else ClassDifference(
                label,
                self.reference.per_class_iou[label],
                self.candidate.per_class_iou[label],
                **asdict(interval),
            )
            for label, interval in zip(self.classes, intervals, strict=True)
        )

    def worst(self, count: int = 6) -> tuple[Loss, ...]:
        """Return the pictures that lost most, the greatest loss first.

        Parameters
        ----------
        count : int
            At most so many; fewer where there are no more pictures.
        """
        import numpy as np

        right = np.trace(self.matrices, axis1=2, axis2=3)
        counted = np.maximum(self.matrices[0].sum(axis=(1, 2)), 1)
        losses = (right[0] - right[1]) / counted
        order = np.argsort(-losses, kind="stable")[:count]
        agreed = self.equal / self.pixels
        return tuple(
            Loss(self.names[i], float(losses[i]), float(agreed[i])) for i in order
        )

    def to_dict(self, *, worst: int = 6) -> Json:
        """Return JSON values; the candidate is called ``result``.

        Parameters
        ----------
        worst : int
            Number of pictures to name.
        """
        boundary = self.boundary_iou
        return {
            "images": len(self.names),
            "classes": list(self.classes),
            "reference": asdict(self.reference),
            "result": asdict(self.candidate),
            "drop": asdict(self.drop),
            "agreement": self.agreement,
            "per_class": [_row(entry) for entry in self.per_class],
            "boundary": {
                "reference": boundary[0],
                "result": boundary[1],
                **asdict(self.boundary_drop),
            },
            "worst": [asdict(loss) for loss in self.worst(worst)],
        }


def _row(entry: ClassDifference) -> Json:
    row = asdict(entry)
    row["result"] = row.pop("candidate")
    return row
