"""Two models' label maps of the same pictures: how often they agree, what became what.

Rows are the reference's classes, columns the other model's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.counts import total

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
    pictures: tuple[tuple[str, tuple[tuple[int, int, int], ...]], ...]

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

    def to_dict(self) -> dict[str, Any]:
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
