"""Whether Sony's toolkit has built the network that the file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import ConversionError

if TYPE_CHECKING:
    from edgeseg.devices.types import Array

_LARGEST_DIFFERENCE = 0.01  # of the largest score; another order of sums gives less


def check_float(other: Array, one: Array) -> None:
    """Raise unless the float network was built as the file says.

    Parameters
    ----------
    other : ndarray
        Answers ``(N, h, w, C)`` of what the toolkit's environment has built.
    one : ndarray
        The file's own answer ``(1, h, w, C)`` to the first picture.

    Raises
    ------
    ConversionError
        The first answers differ by more than rounding.
    """
    import numpy as np

    if other.ndim != one.ndim or other.shape[1:] != one.shape[1:] or not len(other):
        raise ConversionError(
            "the network built in the toolkit's environment answers "
            f"{other.shape[1:]}, the file {one.shape[1:]}"
        )
    limit = _LARGEST_DIFFERENCE * float(np.abs(one).max())
    difference = float(np.abs(other[:1] - one).max())
    if not difference <= limit:
        raise ConversionError(
            "the network built in the toolkit's environment does not answer like the "
            f"file: scores differ by up to {difference:.3g} (at most {limit:.3g} "
            "expected)"
        )
