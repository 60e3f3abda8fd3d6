"""An opacity that follows the picture: the fast guided filter, with colour.

Within a small window the opacity is taken to be a linear function of the colours, so
that it changes where they do. The functions are found on a small picture and applied
to the pixels of the large one, as the second of the papers does it.

References
----------
He, Sun, Tang: "Guided Image Filtering", ECCV 2010; He, Sun: "Fast Guided Filter",
https://arxiv.org/abs/1505.00996.
"""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    import numpy as np
    from numpy.typing import NDArray

    Plane: TypeAlias = NDArray[np.float64]

# Chosen on 50 photos of the training split of PASCAL VOC for each of two networks;
# `edgeseg.benchmarks.studies.edges` measures them.
_CELLS = 94  # of the small picture along its shorter side: a quarter of a VOC photo
_REACH = 2  # cells to either side that a window spans
_EPSILON = 1e-4  # variance of colours, of 0..1, below which they say nothing
_PASSES = 2  # the second starts with what the first found
_STEEPNESS = 2.0  # of the ramp around the half, which makes the edge narrow again


def guided_opacity(
    frame: NDArray[np.uint8], mask: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return a mask with its border moved to where the picture has one.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB.
    mask : ndarray
        ``(H, W)`` uint8: 255 on the subject, else 0.

    Returns
    -------
    ndarray
        ``(H, W)`` uint8: opacity of the subject; it differs from the mask only near
        the mask's border, within about eight cells of which the shorter side has 94.
    """
    import cv2
    import numpy as np

    if cv2.countNonZero(mask) in (0, mask.size):
        return mask
    step = max(1, round(min(mask.shape) / _CELLS))
    part = _around_subject(mask, (2 * _PASSES * _REACH + 1) * step)
    height, width = mask[part].shape
    small_wh = max(1, width // step), max(1, height // step)
    guide = _Guide(_shrunk(frame[part], small_wh))
    opacity = _shrunk(mask[part], small_wh)
    for _ in range(_PASSES - 1):
        opacity = np.clip(_ramp(guide.apply(guide.fit(opacity))), 0, 1)
    whole = np.zeros_like(mask)
    whole[part] = _applied(frame[part], guide.fit(opacity))
    return whole


class _Guide:
    """A small picture, and what the windows around its cells have in common.

    Parameters
    ----------
    picture : ndarray
        ``(h, w, 3)`` float64 RGB, 0..1.
    """

    def __init__(self, picture: Plane) -> None:
        import cv2

        self._colours = cv2.split(picture)
        self._means = [_window_mean(colour) for colour in self._colours]
        self._inverse = self._inverse_covariance()

    def fit(self, opacity: Plane) -> list[Plane]:
        """Return the linear function of each cell: three slopes and an offset."""
        mean = _window_mean(opacity)
        with_opacity = [
            _window_mean(colour * opacity) - own * mean
            for colour, own in zip(self._colours, self._means, strict=True)
        ]
        slopes = [
            _dot([self._inverse[min(i, j), max(i, j)] for j in range(3)], with_opacity)
            for i in range(3)
        ]
        offset = mean - _dot(slopes, self._means)
        return [_window_mean(each) for each in (*slopes, offset)]

    def apply(self, functions: list[Plane]) -> Plane:
        """Return ``(h, w)``: the functions' values at the cells' own colours."""
        return functions[3] + _dot(functions[:3], self._colours)

    def _inverse_covariance(self) -> dict[tuple[int, int], Plane]:
        """Return the upper half of the inverse of each cell's 3x3 covariance."""
        # by cofactors over whole planes: one solver a cell takes ten times as long
        c = {
            (i, j): _window_mean(self._colours[i] * self._colours[j])
            - self._means[i] * self._means[j]
            + (_EPSILON if i == j else 0.0)
            for i in range(3)
            for j in range(i, 3)
        }
        cofactors = {
            (0, 0): c[1, 1] * c[2, 2] - c[1, 2] ** 2,
            (0, 1): c[0, 2] * c[1, 2] - c[0, 1] * c[2, 2],
            (0, 2): c[0, 1] * c[1, 2] - c[0, 2] * c[1, 1],
            (1, 1): c[0, 0] * c[2, 2] - c[0, 2] ** 2,
            (1, 2): c[0, 1] * c[0, 2] - c[0, 0] * c[1, 2],
            (2, 2): c[0, 0] * c[1, 1] - c[0, 1] ** 2,
        }
        determinant = _dot(*([row[0, j] for j in range(3)] for row in (c, cofactors)))
        return {place: each / determinant for place, each in cofactors.items()}


def _around_subject(mask: NDArray[np.uint8], margin: int) -> tuple[slice, slice]:
    """Return rows and columns of the subject and a margin: beyond it all stays 0."""
    import cv2

    x, y, width, height = cv2.boundingRect(mask)
    rows = slice(max(0, y - margin), y + height + margin)
    return rows, slice(max(0, x - margin), x + width + margin)


def _applied(frame: NDArray[np.uint8], functions: list[Plane]) -> NDArray[np.uint8]:
    """Apply the functions of a small picture to the colours of the large one."""
    import cv2
    import numpy as np

    size_wh = frame.shape[1], frame.shape[0]
    total = cv2.resize(functions[3].astype(np.float32), size_wh)
    part = np.empty_like(total)
    for colour, slope in zip(cv2.split(frame), functions[:3], strict=True):
        cv2.resize(slope.astype(np.float32), size_wh, dst=part)
        cv2.multiply(part, colour, dst=part, scale=1 / 255, dtype=cv2.CV_32F)
        cv2.add(total, part, dst=total)
    # `_ramp` of 0..255, rounded and kept within it
    ramped = cv2.addWeighted(
        total, 255 * _STEEPNESS, total, 0, 127.5 * (1 - _STEEPNESS), dtype=cv2.CV_8U
    )
    return np.asarray(ramped, np.uint8)


def _dot(first: Sequence[Plane], second: Sequence[Plane]) -> Plane:
    """Return the sum of the products of planes."""
    products = [one * other for one, other in zip(first, second, strict=True)]
    return functools.reduce(operator.add, products)


def _ramp(opacity: Plane) -> Plane:
    return (opacity - 0.5) * _STEEPNESS + 0.5


def _shrunk(picture: NDArray[np.uint8], size_wh: tuple[int, int]) -> Plane:
    import cv2
    import numpy as np

    small = cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float64) / 255


def _window_mean(plane: Plane) -> Plane:
    import cv2
    import numpy as np

    side = 2 * _REACH + 1
    mean = cv2.boxFilter(plane, -1, (side, side), borderType=cv2.BORDER_REFLECT)
    return np.asarray(mean, np.float64)
