"""All masks counted and checked before a training starts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.dataset import picture_hw

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.accuracy.dataset import Dataset

_THREADS = 4


def count_pixels(
    dataset: Dataset,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.int64]:
    """Count the pixels of each class in each picture.

    Parameters
    ----------
    dataset : Dataset
        Pictures and truth.
    progress : callable or None
        Called with pictures done and pictures in all.

    Returns
    -------
    ndarray
        ``(N, C)`` int64, in the order of ``dataset.ids``; void does not count.

    Raises
    ------
    InputError
        A mask holds ids without a label, or picture and mask differ in size.
    """
    import numpy as np

    def count(name: str) -> NDArray[np.int64]:
        ids = dataset.truth(name)
        _check_size(dataset, name, ids.shape)
        return np.bincount(ids.ravel(), minlength=256)[: len(dataset.labels)]

    counts = np.zeros((len(dataset.ids), len(dataset.labels)), np.int64)
    with ThreadPoolExecutor(_THREADS) as pool:
        for place, counted in enumerate(pool.map(count, dataset.ids)):
            counts[place] = counted
            if progress is not None:
                progress(place + 1, len(dataset.ids))
    return counts


def check_every_class(
    counts: NDArray[np.int64], labels: Sequence[str], *, taught: bool = False
) -> tuple[str, ...]:
    """Return the classes without a pixel to be learnt from.

    Parameters
    ----------
    counts : ndarray
        ``(C,)`` pixels of each class.
    labels : sequence of str
        Their names.
    taught : bool
        There is a teacher that knows every class: its answers keep what the masks
        lack.

    Raises
    ------
    InputError
        There are such classes, and no teacher.
    """
    missing = [name for name, pixels in zip(labels, counts, strict=True) if not pixels]
    if missing and not taught:
        raise InputError(
            f"no pixel of {', '.join(missing)} in the masks to train on: add pictures "
            "with it, leave it out of --classes, or let a --teacher keep it"
        )
    return tuple(missing)


def balance(counts: NDArray[np.int64], power: float = 0.5) -> NDArray[np.float32]:
    """Return a weight for each class: a power of one over its share, 1 on average.

    Parameters
    ----------
    counts : ndarray
        ``(C,)`` pixels of each class; one without counts as if it had one.
    power : float
        0 weighs all pixels the same, 1 all classes the same.

    Returns
    -------
    ndarray
        ``(C,)`` float32. Over all pixels their mean is 1, so that the loss keeps its
        scale.

    Examples
    --------
    >>> import numpy as np
    >>> [round(float(weight), 2) for weight in balance(np.array([90, 10]))]
    [0.83, 2.5]
    """
    import numpy as np

    share = np.maximum(counts, 1) / counts.sum()
    weights = share**-power
    scaled: NDArray[np.float32] = (weights / (weights * share).sum()).astype(np.float32)
    return scaled


def _check_size(dataset: Dataset, name: str, shape: tuple[int, ...]) -> None:
    """Compare a mask with its picture's header, turned as its EXIF says."""
    height, width = picture_hw(dataset, name)
    if (height, width) != shape:
        raise InputError(
            f"picture and mask of {name} differ in size: {width}x{height} and "
            f"{shape[1]}x{shape[0]}: make the mask anew from the picture"
        )
