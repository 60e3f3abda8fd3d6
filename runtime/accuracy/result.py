"""Counts of a model's answers, picture by picture, and the scores they make."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.counts import flips_of, total
from edgeseg.runtime.accuracy.paired import PairedEvaluation
from edgeseg.runtime.accuracy.scores import Scores, class_iou, scores

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.counts import Counts, Flips, Rows


@dataclass(frozen=True)
class Accuracy:
    """Counts of each picture and the scores of all.

    Parameters
    ----------
    labels : tuple of str
        The data set's C labels.
    chosen : tuple of int
        Class ids that means are taken over.
    model_labels : tuple of str
        Names of the model's own class ids.
    network_hw : (int, int)
        Height and width of the network's input.
    pictures : tuple of Counts
        In the data set's order.
    """

    labels: tuple[str, ...]
    chosen: tuple[int, ...]
    model_labels: tuple[str, ...]
    network_hw: tuple[int, int]
    pictures: tuple[Counts, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that means are taken over."""
        return tuple(self.labels[i] for i in self.chosen)

    @property
    def matrices(self) -> NDArray[np.int64]:
        """``(N, C, C)`` int64: a confusion matrix a picture, at its own size."""
        return self._stack("own", len(self.labels))

    @cached_property
    def own(self) -> Scores:
        """Scores at the pictures' own size."""
        return self._scores(p.own for p in self.pictures)

    @cached_property
    def network(self) -> Scores:
        """Scores at the size of the network's input."""
        return self._scores(p.network for p in self.pictures)

    @cached_property
    def per_class_boundary_iou(self) -> dict[str, float | None]:
        """Boundary IoU of each chosen class; None where the truth does not have it."""
        matrix = total((p.boundary for p in self.pictures), len(self.labels) + 1)
        iou, true = class_iou(matrix), matrix.sum(axis=1)
        return {
            self.labels[i]: float(iou[i]) if true[i] > 0 else None for i in self.chosen
        }

    @property
    def boundary_iou(self) -> float | None:
        """Mean boundary IoU over `classes` that occur; None where there is none."""
        found = [v for v in self.per_class_boundary_iou.values() if v is not None]
        return sum(found) / len(found) if found else None

    @cached_property
    def flips(self) -> Flips:
        """The reference's classes against the model's, of all pixels."""
        return flips_of(self.pictures, self.model_labels)

    def against(self) -> PairedEvaluation:
        """Return the model beside the reference that it was counted with.

        Raises
        ------
        InputError
            There was no reference.
        """
        import numpy as np

        if not all(p.flips for p in self.pictures):
            raise InputError("expected pictures counted beside a reference, got none")
        side = len(self.labels)
        edges = [self._stack(k, side + 1) for k in ("reference_boundary", "boundary")]
        return PairedEvaluation(
            names=tuple(p.name for p in self.pictures),
            labels=self.labels,
            chosen=self.chosen,
            matrices=np.stack([self._stack("reference_own", side), self.matrices]),
            boundaries=np.stack(edges),
            equal=np.array([e for e, _ in self.flips.per_picture], np.int64),
            pixels=np.array([n for _, n in self.flips.per_picture], np.int64),
        )

    def to_dict(self) -> Json:
        """Return the model's own scores as JSON values."""
        return {
            **asdict(self.own),
            "images": len(self.pictures),
            "classes": list(self.classes),
            "boundary": {
                "miou": self.boundary_iou,
                "per_class_iou": self.per_class_boundary_iou,
            },
            "network_size": {
                "input_hw": list(self.network_hw),
                "truth": "brought to the network's canvas by the nearest pixel",
                **asdict(self.network),
            },
        }

    def _scores(self, counted: Iterable[Rows]) -> Scores:
        return scores(total(counted, len(self.labels)), self.labels, self.chosen)

    def _stack(self, key: str, side: int) -> NDArray[np.int64]:
        import numpy as np

        return np.stack([total([getattr(p, key)], side) for p in self.pictures])
