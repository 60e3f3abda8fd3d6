"""Answers of a network, left by another program, and how alike two networks answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import ConversionError
from edgeseg.devices.plain_text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Array

_LEAST_AGREEMENT = 0.5  # below, what was compiled answers something else


def read_answers(path: Path, who: str) -> Array:
    """Return float32 answers from a ``.npy`` file.

    Parameters
    ----------
    path : Path
        The file.
    who : str
        Which program left it, for messages.

    Raises
    ------
    ConversionError
        There is none, or it holds something else.
    """
    import numpy as np

    try:
        found: Array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ConversionError(
            f"{who} left no answers that can be read ({one_line(error)})"
        ) from error
    if not isinstance(found, np.ndarray) or found.dtype != np.float32:
        raise ConversionError(f"{who} left answers that are no float32")
    return found


def agreement(one: Array, other: Array, *, made_of: str, pictures: str) -> float:
    """Return the share of cells to which both networks give the same class.

    Parameters
    ----------
    one, other : ndarray
        ``(N, h, w, C)`` scores of the network that was compiled, and of the result;
        with one channel, a positive score is the class.
    made_of : str
        What the first network is called in messages.
    pictures : str
        What they saw.

    Raises
    ------
    ConversionError
        Hardly any, or the answers cannot be compared.
    """
    if one.shape != other.shape or one.ndim != 4 or not one.size:
        raise ConversionError(
            f"the compiled network answers {other.shape}, {made_of} {one.shape}"
        )
    if one.shape[3] == 1:
        same = (one > 0) == (other > 0)
    else:
        same = one.argmax(axis=3) == other.argmax(axis=3)
    share = float(same.mean())
    if share < _LEAST_AGREEMENT:
        raise ConversionError(
            f"the compiled network keeps {share:.1%} of the classes of {made_of} on "
            f"{pictures}: it is not to be used"
        )
    return share
