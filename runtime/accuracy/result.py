"""Counts of a model's answers, picture by picture, and the scores they make."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.class_counts import ClassCounts
from edgeseg.runtime.accuracy.counts import total
from edgeseg.runtime.accuracy.paired import PairedEvaluation
from edgeseg.runtime.accuracy.scores import Scores, class_iou, scores

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.counts import Counts, Rows


@dataclass(frozen=True)
class Flips:
    """Pixels by both models' class ids, a picture.

    Parameters
    ----------
    labels : tuple of str
        Names of the class ids; an id without a name is shown as a number.
    pictures : tuple of (str, tuple)
        Name and sparse counts of each; see `joint_counts`.
    """

    labels: tuple[str, ...]
    pictures: tuple[tuple[str, Rows], ...]

    @cached_property
    def per_picture(self) -> tuple[tuple[int, int], ...]:
        """Pixels with equal labels, and all pixels, of each picture."""
        return tuple(
            (sum(n for i, j, n in rows if i == j), sum(n for _, _, n in rows))
            for _, rows in self.pictures
        )

    @property
    def agreement(self) -> float:
        """Share of all pixels with equal labels, 0..1.

        Raises
        ------
        InputError
            There are no pixels.
        """
        pixels = sum(n for _, n in self.per_picture)
        if not pixels:
            raise InputError("expected pictures to compare, got none")
        return sum(equal for equal, _ in self.per_picture) / pixels

    @cached_property
    def matrix(self) -> NDArray[np.int64]:
        """``(256, 256)`` int64: the reference's class down, the other's across."""
        return total((rows for _, rows in self.pictures), 256)

    def worst(self, count: int = 5) -> tuple[tuple[str, float], ...]:
        """Return the pictures that agree least, with their share of equal labels."""
        shares = [
            (name, equal / max(pixels, 1))
            for (name, _), (equal, pixels) in zip(
                self.pictures, self.per_picture, strict=True
            )
        ]
        return tuple(sorted(shares, key=lambda entry: entry[1])[:count])

    def most(self, count: int = 8) -> tuple[tuple[str, str, int], ...]:
        """Return the most frequent changes of class: from, to, pixels."""
        import numpy as np

        changed = self.matrix - np.diag(np.diag(self.matrix))
        order = np.argsort(-changed, axis=None, kind="stable")[:count]
        pairs = (divmod(int(place), 256) for place in order)
        return tuple(
            (self._name(i), self._name(j), int(changed[i, j]))
            for i, j in pairs
            if changed[i, j] > 0
        )

    def to_dict(self) -> Json:
        """Return JSON values; the matrix has the classes that occur on either side."""
        import numpy as np

        occurs = self.matrix.any(axis=0) | self.matrix.any(axis=1)
        ids = np.flatnonzero(occurs)
        return {
            "images": len(self.pictures),
            "agreement": self.agreement,
            "worst": [
                {"name": name, "agreement": share} for name, share in self.worst()
            ],
            "flips": {
                "classes": [self._name(int(i)) for i in ids],
                "pixels": self.matrix[np.ix_(ids, ids)].tolist(),
            },
        }

    def to_text(self) -> str:
        """Return the share, the worst pictures and the most frequent changes."""
        lines = [f"{'equal labels':24} {100 * self.agreement:8.4f} %"]
        lines += [
            f"  {name:22} {100 * share:8.4f} %  (least)"
            for name, share in self.worst(3)
        ]
        lines += [
            f"  {f'{first} -> {second}':30} {count:10,} pixels"
            for first, second, count in self.most(6)
        ]
        return "\n".join(lines)

    def _name(self, class_id: int) -> str:
        named = class_id < len(self.labels)
        return self.labels[class_id] if named else str(class_id)


def flips_of(counted: Iterable[Counts], labels: tuple[str, ...] = ()) -> Flips:
    """Return the flips of pictures that were counted beside a reference.

    Parameters
    ----------
    counted : iterable of Counts
        The pictures.
    labels : tuple of str
        Names of the class ids.
    """
    return Flips(labels, tuple((counts.name, counts.flips) for counts in counted))


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

    @cached_property
    def by_class(self) -> ClassCounts:
        """Pixels by picture and class, at the pictures' own size."""
        return ClassCounts.of_sparse((p.own for p in self.pictures), len(self.labels))

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
        if not all(p.flips for p in self.pictures):
            raise InputError("expected pictures counted beside a reference, got none")
        return PairedEvaluation(self.labels, self.chosen, self.pictures)

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
