"""A new head that remembers: columns of the old one, by the names of its classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.runtime.labels import background_ids, same_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

_NOISE = 0.01  # spread of a new class's kernel: it starts as nobody's favourite


@dataclass(frozen=True)
class Columns:
    """The last 1x1 convolution for the new classes.

    Parameters
    ----------
    kernel : ndarray
        ``(1, 1, c, C)`` float32.
    bias : ndarray
        ``(C,)`` float32.
    copied : tuple of str
        Classes whose columns are the old head's.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    copied: tuple[str, ...]


def swap_columns(
    kernel: NDArray[np.float32],
    bias: NDArray[np.float32],
    old: Sequence[str],
    new: Sequence[str],
    rng: np.random.Generator,
) -> Columns:
    """Return the head of new classes, where possible that of the old ones.

    Parameters
    ----------
    kernel, bias : ndarray
        ``(1, 1, c, C)`` and ``(C,)``: the old head.
    old, new : sequence of str
        Labels; `old` is empty where they are unknown, and then nothing is copied.
    rng : numpy.random.Generator
        For the columns of classes that are new: small noise.
    """
    import numpy as np

    known = {_key(name): i for i, name in enumerate(old)}
    shape = (*kernel.shape[:3], len(new))
    fresh = rng.normal(0, _NOISE, shape).astype(np.float32)
    shift = np.zeros(len(new), np.float32)
    copied = []
    for index, name in enumerate(new):
        column = known.get(_key(name))
        if column is not None:
            fresh[..., index], shift[index] = kernel[..., column], bias[column]
            copied.append(name)
    return Columns(fresh, shift, tuple(copied))


def _key(name: str) -> str:
    """Return a name reduced so that every word for no class is the same."""
    return "background" if background_ids((name,)) else same_name(name)
