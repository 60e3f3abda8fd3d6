"""Connected parts of a class with area, box and centroid: pure functions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

MOST = 24  # parts of a class; a noisy mask may have thousands
# Pixels of masks that are looked at together. Of four pixels one at most begins a part,
# so that 16 bits number all; OpenCV's threads, which it uses for 32 bits alone, take
# five times as long as the work for so few
_AT_ONCE = 2**17


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
    import numpy as np

    least = area_in_pixels(min_area, ids.shape)
    grid = sampled(ids, step)
    there = np.flatnonzero(np.bincount(grid.ravel(), minlength=256))
    wanted = [i for i in class_ids if i in set(there.tolist())]
    at_once = max(1, _AT_ONCE // (grid.size + grid.shape[1]))
    return [
        blob
        for first in range(0, len(wanted), at_once)
        for blob in _of_classes(
            grid, wanted[first : first + at_once], least, step, ids.shape
        )
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


def _of_classes(
    grid: NDArray[np.uint8],
    class_ids: Sequence[int],
    least: float,
    step: int,
    shape: tuple[int, ...],
) -> Iterator[Blob]:
    import cv2
    import numpy as np

    # one call for all: the masks below each other, with an empty row between
    rows, columns = grid.shape
    stack = np.zeros((len(class_ids), rows + 1, columns), np.bool_)
    np.equal(grid, np.array(class_ids, np.uint8)[:, None, None], out=stack[:, :rows])
    masks = stack.reshape(-1, columns).view(np.uint8)
    kind = cv2.CV_16U if masks.size <= _AT_ONCE else cv2.CV_32S
    _, _, stats, centroids = cv2.connectedComponentsWithStats(masks, ltype=kind)
    places = stats[1:, cv2.CC_STAT_TOP] // (rows + 1)  # 0 is what is in no mask
    areas = stats[1:, cv2.CC_STAT_AREA] * (step * step)
    kept = np.flatnonzero(areas >= least)
    ordered = kept[np.lexsort((-areas[kept], places[kept]))]
    counts: Counter[int] = Counter()
    for index in ordered.tolist():
        place = int(places[index])
        counts[place] += 1
        if counts[place] > MOST:
            continue
        left, top, width, height, _ = (int(value) for value in stats[index + 1])
        top -= place * (rows + 1)
        x, y = (float(value) for value in centroids[index + 1])
        y -= place * (rows + 1)
        # sampled squares may reach over the edge
        box = left * step, top * step, width * step, height * step
        inside = min(box[2], shape[1] - box[0]), min(box[3], shape[0] - box[1])
        middle = x * step + offset(step), y * step + offset(step)
        area = int(areas[index])
        yield Blob(class_ids[place], area, (*box[:2], *inside), middle)
