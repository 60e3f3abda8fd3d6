"""What is counted on one picture: all that any score is made of.

Matrices are kept sparse, as the rows ``(down, across, pixels)`` that are not 0: a
picture holds a few of a data set's classes. Truth is down and prediction across; where
two models' label maps are counted, the reference's ids are down.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json

    Rows = tuple[tuple[int, int, int], ...]


_LAST_ID = 256  # of a row near edges, one more than class ids have
_MOST_PIXELS = 1 << 50  # so that sums over all pictures fit int64


@dataclass(frozen=True)
class Counts:
    """Counts of one picture, each a tuple of ``(down, across, pixels)``.

    Parameters
    ----------
    name : str
        Of the picture.
    own : tuple
        Truth and prediction at the picture's own size; like those below, empty where
        it was not counted.
    boundary : tuple
        Truth and prediction near edges; see `boundary_matrix`.
    network : tuple
        Truth and prediction at the size of the network's input.
    reference_own, reference_boundary : tuple
        Those of a reference's label map, empty without one.
    flips : tuple
        The reference's class id and the model's, of all pixels; empty without one.
    digest : str
        Of the label map where it was kept; see `digest_of`.
    """

    name: str
    own: Rows = ()
    boundary: Rows = ()
    network: Rows = ()
    reference_own: Rows = ()
    reference_boundary: Rows = ()
    flips: Rows = ()
    digest: str = ""

    def to_dict(self) -> Json:
        """Return JSON values, empty counts left out."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {key: value for key, value in values.items() if value or key == "name"}

    @classmethod
    def from_dict(cls, values: Any) -> Counts:
        """Return the counts that `to_dict` wrote.

        Raises
        ------
        InputError
            The values are of another form.
        """
        try:
            read = dict(values)
            texts = {"name": str(read["name"]), "digest": str(read.get("digest", ""))}
            counted = [field.name for field in fields(cls) if field.name not in texts]
            rows = {key: _rows(read.get(key, ())) for key in counted}
            values_of: Json = {**texts, **rows}
            return cls(**values_of)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"expected the counts of a picture, got {str(values)[:60]}"
            ) from error


def sparse(matrix: NDArray[np.int64]) -> Rows:
    """Return the entries of a matrix that are not 0.

    Examples
    --------
    >>> import numpy as np
    >>> sparse(np.array([[4, 0], [0, 7]]))
    ((0, 0, 4), (1, 1, 7))
    """
    import numpy as np

    down, across = np.nonzero(matrix)
    rows = zip(down, across, matrix[down, across], strict=True)
    return tuple((int(i), int(j), int(n)) for i, j, n in rows)


def total(counted: Iterable[Rows], side: int) -> NDArray[np.int64]:
    """Return the sum of sparse matrices as a whole one.

    Parameters
    ----------
    counted : iterable of tuple
        From `sparse`.
    side : int
        Rows and columns of the matrix.

    Returns
    -------
    ndarray
        ``(side, side)`` int64.

    Raises
    ------
    InputError
        An index is outside the matrix.

    Examples
    --------
    >>> total([((0, 1, 4),), ((0, 1, 2), (1, 1, 1))], 2)
    array([[0, 6],
           [0, 1]])
    """
    import numpy as np

    matrix = np.zeros((side, side), np.int64)
    for rows in counted:
        for down, across, pixels in rows:
            if not (0 <= down < side and 0 <= across < side):
                raise InputError(f"expected class ids below {side}, got {down, across}")
            matrix[down, across] += pixels
    return matrix


def joint_counts(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Rows:
    """Count the pixels of two label maps by both ids.

    Parameters
    ----------
    first, second : ndarray
        ``(H, W)`` uint8.

    Raises
    ------
    InputError
        Their sizes differ.

    Examples
    --------
    >>> import numpy as np
    >>> joint_counts(np.uint8([[0, 0, 3]]), np.uint8([[0, 1, 3]]))
    ((0, 0, 1), (0, 1, 1), (3, 3, 1))
    """
    import numpy as np

    if first.shape != second.shape:
        raise InputError(
            f"expected label maps of one size, got {first.shape} and {second.shape}"
        )
    joint = first.ravel().astype(np.int64) * 256 + second.ravel()
    return sparse(np.bincount(joint, minlength=1 << 16).reshape(256, 256))


def digest_of(ids: NDArray[np.uint8]) -> str:
    """Return the SHA-256 of a label map ``(H, W)`` uint8: its size and its ids."""
    digest = hashlib.sha256(repr(ids.shape).encode())
    digest.update(ids.tobytes())
    return digest.hexdigest()


def _rows(values: Any) -> Rows:
    return tuple(
        (_whole(i, _LAST_ID), _whole(j, _LAST_ID), _whole(n, _MOST_PIXELS))
        for i, j, n in values
    )


def _whole(value: object, last: int) -> int:
    if type(value) is not int or not 0 <= value <= last:
        raise ValueError(f"expected a whole number from 0 to {last}, got {value!r:.40}")
    return value
