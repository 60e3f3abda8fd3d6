"""Connected parts of a class with area, box and centroid: pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

MOST = 24  # parts of a class; a noisy mask may have thousands


@dataclass(frozen=True)
class Blob:
    """A connected part of one class.

    Parameters
    ----------
    class_id : int
        The class.
    area : int
        Pixels.
    box : (int, int, int, int)
        Left, top, width and height in pixels.
    centroid : (float, float)
        Mean x and y of its pixels' centres.
    """

    class_id: int
    area: int
    box: tuple[int, int, int, int]
    centroid: tuple[float, float]

    @property
    def foot(self) -> tuple[float, float]:
        """Middle of the box's lower edge: where a person stands."""
        left, top, width, height = self.box
        return left + width / 2, float(top + height)


def find_blobs(
    ids: NDArray[np.uint8],
    class_ids: Iterable[int],
    *,
    min_area: float = 1,
    step: int = 1,
) -> list[Blob]:
    """Return the connected parts of classes; pixels that touch at a corner connect.

    Parameters
    ----------
    ids : ndarray
        ``(H, W)`` uint8.
    class_ids : iterable of int
        Classes that are looked for.
    min_area : float
        Smaller parts are left out: pixels, or below 1 a share of the picture.
    step : int
        Look at one pixel of so many along each side. Areas, boxes and centroids are
        still those of the whole picture, exact to this many pixels.

    Returns
    -------
    list of Blob
        Class after class, the largest first; of each class at most 24.

    Examples
    --------
    >>> import numpy as np
    >>> ids = np.array([[7, 7, 0, 0], [0, 0, 0, 7]], np.uint8)
    >>> [(blob.area, blob.box) for blob in find_blobs(ids, [7])]
    [(2, (0, 0, 2, 1)), (1, (3, 1, 1, 1))]
    """
    least = area_in_pixels(min_area, ids.shape)
    grid = sampled(ids, step)
    return [
        blob
        for class_id in class_ids
        for blob in _of_class(grid, class_id, least, step, ids.shape)
    ]


def sampled(ids: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Return one pixel of so many along each side: the middle one of each square."""
    import numpy as np

    if step == 1:
        return ids
    return np.ascontiguousarray(ids[offset(step) :: step, offset(step) :: step])


def offset(step: int) -> int:
    """Return the row and column of the first pixel that `sampled` takes."""
    return step // 2


def area_in_pixels(area: float, shape: tuple[int, ...]) -> float:
    """Return an area in pixels; one below 1 is a share of the picture."""
    if not area >= 0:
        raise InputError(f"min_area: expected 0 or more, got {area}")
    return area * shape[0] * shape[1] if area < 1 else area


def _of_class(
    grid: NDArray[np.uint8],
    class_id: int,
    least: float,
    step: int,
    shape: tuple[int, ...],
) -> list[Blob]:
    import cv2
    import numpy as np

    mask = (grid == class_id).view(np.uint8)
    if not mask.any():
        return []
    _, _, stats, centroids = cv2.connectedComponentsWithStats(mask)
    areas = stats[1:, cv2.CC_STAT_AREA] * (step * step)  # 0 is what is not the class
    kept = np.flatnonzero(areas >= least)
    ordered = kept[np.argsort(-areas[kept], kind="stable")][:MOST]
    found = []
    for index in ordered.tolist():
        left, top, width, height, _ = (int(v) * step for v in stats[index + 1])
        x, y = centroids[index + 1]
        # sampled squares may reach over the edge
        width, height = min(width, shape[1] - left), min(height, shape[0] - top)
        place = float(x) * step + offset(step), float(y) * step + offset(step)
        found.append(
            Blob(class_id, int(areas[index]), (left, top, width, height), place)
        )
    return found
