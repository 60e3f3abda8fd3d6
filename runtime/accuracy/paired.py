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
from edgeseg.runtime.accuracy.class_counts import ClassCounts
from edgeseg.runtime.accuracy.counts import total
from edgeseg.runtime.accuracy.scores import Scores, class_iou, scores

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.counts import Counts, Rows


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
    labels : tuple of str
        The data set's C labels.
    chosen : tuple of int
        Class ids that means are taken over.
    pictures : tuple of Counts
        The N pictures, each counted with the candidate and beside the reference.
    """

    labels: tuple[str, ...]
    chosen: tuple[int, ...]
    pictures: tuple[Counts, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the pictures."""
        return tuple(picture.name for picture in self.pictures)

    @cached_property
    def reference(self) -> Scores:
        """Scores of the reference."""
        return self._scores(picture.reference_own for picture in self.pictures)

    @cached_property
    def candidate(self) -> Scores:
        """Scores of the candidate."""
        return self._scores(picture.own for picture in self.pictures)

    @cached_property
    def by_class(self) -> tuple[ClassCounts, ClassCounts]:
        """Pixels by picture and class, of the reference and the candidate."""
        side = len(self.labels)
        return (
            ClassCounts.of_sparse((p.reference_own for p in self.pictures), side),
            ClassCounts.of_sparse((p.own for p in self.pictures), side),
        )

    @cached_property
    def drop(self) -> Interval:
        """Difference in mIoU, 95 % interval by paired bootstrap over pictures."""
        return paired_bootstrap(*self.by_class, self.chosen)

    @cached_property
    def boundary_drop(self) -> Interval:
        """Difference in mean boundary IoU, 95 % interval as in `drop`."""
        side = len(self.labels) + 1
        first = (p.reference_boundary for p in self.pictures)
        second = (p.boundary for p in self.pictures)
        counts = [ClassCounts.of_sparse(rows, side) for rows in (first, second)]
        return paired_bootstrap(counts[0], counts[1], self.chosen)

    @cached_property
    def equal(self) -> NDArray[np.int64]:
        """``(N,)`` int64: pixels with equal labels, void among them."""
        return self._sums(only_equal=True)

    @cached_property
    def pixels(self) -> NDArray[np.int64]:
        """``(N,)`` int64: all pixels, void among them."""
        return self._sums(only_equal=False)

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
        side = len(self.labels) + 1
        first_rows = (p.reference_boundary for p in self.pictures)
        whole = [
            total(first_rows, side),
            total((p.boundary for p in self.pictures), side),
        ]
        present = [i for i in self.chosen if whole[0][i].sum() > 0]
        first, second = (float(class_iou(m)[present].mean()) for m in whole)
        return first, second

    @cached_property
    def per_class(self) -> tuple[ClassDifference, ...]:
        """IoU of each chosen class with both models, and the difference's interval."""
        intervals = class_bootstrap(*self.by_class, self.chosen)
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

        reference, candidate = self.by_class
        right = reference.right.sum(axis=1) - candidate.right.sum(axis=1)
        losses = right / np.maximum(reference.true.sum(axis=1), 1)
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

    def _scores(self, counted: Iterable[Rows]) -> Scores:
        return scores(total(counted, len(self.labels)), self.labels, self.chosen)

    def _sums(self, *, only_equal: bool) -> NDArray[np.int64]:
        import numpy as np

        sums = [
            sum(n for i, j, n in picture.flips if i == j or not only_equal)
            for picture in self.pictures
        ]
        return np.array(sums, np.int64)


def _row(entry: ClassDifference) -> Json:
    row = asdict(entry)
    row["result"] = row.pop("candidate")
    return row
