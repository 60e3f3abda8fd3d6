"""A new head with the columns of the old one for classes of the same name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.model.labels import background_ids, load_labels, same_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


_NOISE = 0.01  # spread of a new class's kernel: it starts as nobody's favourite
# Of public weights only the number of classes is known
_BY_COUNT = {21: "pascal-voc", 32: "ade20k-mlperf32", 19: "cityscapes"}


@dataclass(frozen=True)
class HeadWeights:
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
) -> HeadWeights:
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
    return HeadWeights(fresh, shift, tuple(copied))


def _key(name: str) -> str:
    """Return a name reduced so that every word for no class is the same."""
    return "background" if background_ids((name,)) else same_name(name)


def start_labels(path: Path, chosen: str | None, count: int) -> tuple[str, ...]:
    """Return the labels of a model's classes, or none where nobody says.

    Parameters
    ----------
    path : Path
        The model; ``NAME.labels.txt`` or ``labels.txt`` beside it, as a training
        leaves it, counts.
    chosen : str or None
        What the user said, see `load_labels`.
    count : int
        Classes of the model.

    Raises
    ------
    InputError
        The chosen labels are not so many.
    """
    own, common = path.with_suffix(".labels.txt"), path.parent / "labels.txt"
    beside = next((str(file) for file in (own, common) if file.is_file()), None)
    text = chosen or beside or _BY_COUNT.get(count)
    if text is None:
        return ()
    labels = load_labels(text).labels
    if len(labels) == count:
        return labels
    if chosen is not None:
        raise InputError(
            f"expected {count} labels for the classes of {path}, got {len(labels)}: "
            "choose another --start-labels"
        )
    return load_labels(_BY_COUNT[count]).labels if count in _BY_COUNT else ()
