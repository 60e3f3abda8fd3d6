"""From the values of a mask file to class ids, by a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.model.labels import VOID

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


def stored_as_is(count: int) -> NDArray[np.int16]:
    """Return the table of masks that hold class ids: ``(256,)`` int16.

    Parameters
    ----------
    count : int
        Number of labels; 255 is void, what lies between is refused (-1).

    Examples
    --------
    >>> stored_as_is(2)[[0, 1, 2, 255]].tolist()
    [0, 1, -1, 255]
    """
    import numpy as np

    table = np.full(256, -1, np.int16)
    table[:count] = np.arange(count)
    table[VOID] = VOID
    return table


def translate(
    path: Path, stored: NDArray[np.uint8], table: NDArray[np.int16], count: int
) -> NDArray[np.uint8]:
    """Look every value of a mask up in a table.

    Parameters
    ----------
    path : Path
        Of the mask, for messages.
    stored : ndarray
        ``(H, W)`` uint8 as the file has it.
    table : ndarray
        ``(256,)`` int16: class id, 255 for void, -1 for a value that may not occur.
    count : int
        Number of labels, for messages.

    Raises
    ------
    InputError
        A value that may not occur does.
    """
    import numpy as np

    found = np.flatnonzero(np.bincount(stored.ravel(), minlength=256))
    strange = [int(value) for value in found if table[value] < 0]
    if strange:
        shown = strange if len(strange) <= 8 else [*strange[:8], "..."]
        raise InputError(
            f"{path}: ids {shown} are neither one of {count} labels nor void: expected "
            "a mask of class ids, or another label set"
        )
    return table[stored].astype(np.uint8)
