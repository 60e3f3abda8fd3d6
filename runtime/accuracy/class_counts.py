"""What intervals need of each picture's confusion matrix: three numbers a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.accuracy.counts import Rows


@dataclass(frozen=True, eq=False)
class ClassCounts:
    """Pixels of N pictures by class: all that an IoU is made of.

    They grow with the classes, where whole matrices grow with their square: on 2000
    pictures with 150 classes these are 7 MB, the matrices 360 MB.

    Parameters
    ----------
    right, true, predicted : ndarray
        ``(N, C)`` int64: pixels of a class that were predicted so, that are so, and
        that were predicted so whatever they are.
    """

    right: NDArray[np.int64]
    true: NDArray[np.int64]
    predicted: NDArray[np.int64]

    @classmethod
    def of_matrices(cls, matrices: NDArray[np.int64]) -> ClassCounts:
        """Return the counts of whole matrices ``(N, C, C)`` int64."""
        import numpy as np

        return cls(
            np.diagonal(matrices, axis1=1, axis2=2),
            matrices.sum(axis=2),
            matrices.sum(axis=1),
        )

    @classmethod
    def of_sparse(cls, pictures: Iterable[Rows], side: int) -> ClassCounts:
        """Return the counts of sparse matrices.

        Parameters
        ----------
        pictures : iterable of tuple
            From `sparse`, one a picture.
        side : int
            Rows and columns of a whole matrix.

        Raises
        ------
        InputError
            An index is outside the matrix.

        Examples
        --------
        >>> ClassCounts.of_sparse([((0, 1, 4), (1, 1, 2))], 2).predicted
        array([[0, 6]])
        """
        import numpy as np

        listed = [np.array(rows, np.int64).reshape(-1, 3) for rows in pictures]
        right, true, predicted = np.zeros((3, len(listed), side), np.int64)
        for index, rows in enumerate(listed):
            down, across, pixels = rows.T
            if rows.size and not (rows[:, :2].min() >= 0 and rows[:, :2].max() < side):
                raise InputError(
                    f"expected class ids below {side}, got {int(rows[:, :2].max())}"
                )
            np.add.at(true[index], down, pixels)
            np.add.at(predicted[index], across, pixels)
            same = down == across
            np.add.at(right[index], down[same], pixels[same])
        return cls(right, true, predicted)
