"""Whether Sony's toolkit computes the network, and how much its rounding changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import ConversionError
from edgeseg.devices.plain_text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Array

_LARGEST_DIFFERENCE = 0.01  # of the largest score; another order of sums gives less
_LEAST_AGREEMENT = 0.5  # below, the quantized network answers something else


def check_float(made: Path, expected: Path) -> None:
    """Raise unless the float network was built as the file says.

    Parameters
    ----------
    made : Path
        Answers ``(N, h, w, C)`` of what the toolkit's environment has built.
    expected : Path
        The file's own answer ``(1, h, w, C)`` to the first picture.

    Raises
    ------
    ConversionError
        The first answers differ by more than rounding.
    """
    import numpy as np

    one, other = _read(expected), _read(made)
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


def agreement(reference: Path, quantized: Path) -> float:
    """Return the share of cells to which both networks give the same class.

    Raises
    ------
    ConversionError
        Hardly any, or the answers cannot be compared.
    """
    one, other = _read(reference), _read(quantized)
    if one.shape != other.shape or one.ndim != 4 or not one.size:
        raise ConversionError(
            f"the quantized network answers {other.shape}, the float one {one.shape}"
        )
    if one.shape[3] == 1:
        same = (one > 0) == (other > 0)
    else:
        same = one.argmax(axis=3) == other.argmax(axis=3)
    share = float(same.mean())
    if share < _LEAST_AGREEMENT:
        raise ConversionError(
            f"the quantized network keeps {share:.1%} of the float network's classes "
            "on the calibration photos: it is not to be used"
        )
    return share


def _read(path: Path) -> Array:
    import numpy as np

    try:
        found: Array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ConversionError(
            f"Sony's quantizer left no answers that can be read ({one_line(error)})"
        ) from error
    if not isinstance(found, np.ndarray) or found.dtype != np.float32:
        raise ConversionError("Sony's quantizer left answers that are no float32")
    return found
