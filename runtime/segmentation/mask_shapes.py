"""Areas of a class as polygons or run lengths, for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json


def polygons(mask: NDArray[np.bool_]) -> list[list[int]]:
    """Return the outer borders of an area.

    Parameters
    ----------
    mask : ndarray
        ``(H, W)`` bool.

    Returns
    -------
    list of list of int
        One polygon a connected part, ``[x0, y0, x1, y1, ...]`` in pixels. Holes are
        left out: use run lengths where they matter.
    """
    import cv2
    import numpy as np

    found, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    return [[int(value) for value in border.ravel()] for border in found]


def run_lengths(mask: NDArray[np.bool_]) -> Json:
    """Return COCO's uncompressed run-length encoding of an area.

    Parameters
    ----------
    mask : ndarray
        ``(H, W)`` bool.

    Returns
    -------
    dict
        ``size`` is ``[H, W]``; ``counts`` are the lengths of runs down the columns,
        starting with pixels outside the area.

    Examples
    --------
    >>> import numpy as np
    >>> run_lengths(np.array([[False, True], [True, True]]))
    {'size': [2, 2], 'counts': [1, 3]}
    """
    import numpy as np

    flat = np.concatenate([[False], mask.ravel(order="F")])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    bounds = np.concatenate([[0], changes, [mask.size]])
    return {"size": list(mask.shape), "counts": np.diff(bounds).tolist()}


def from_run_lengths(encoded: Json) -> NDArray[np.bool_]:
    """Return the ``(H, W)`` bool area that `run_lengths` encoded."""
    import numpy as np

    counts = encoded["counts"]
    values = np.arange(len(counts)) % 2 == 1
    return np.repeat(values, counts).reshape(encoded["size"], order="F")
