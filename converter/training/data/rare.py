"""Views of rare classes: some of a training's views are chosen by what they show.

Views at random show what the pictures are full of. Here a class is drawn first, rare
ones more often than their pixels would have it, then a picture that has it, then one of
its pixels; the view shows that pixel.

References
----------
L. Hoyer, D. Dai and L. Van Gool, "DAFormer", CVPR 2022, section 3.3: rare class
sampling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.training.data.census import balance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LEAST_PIXELS = 10  # of a class in a picture that is chosen for it, where there is one


class RareClasses:
    """Draws pictures and pixels by class.

    Parameters
    ----------
    counts : ndarray
        ``(N, C)`` pixels of each class in each picture.
    share : float
        Of all views, those that are chosen so, 0..1.
    """

    def __init__(self, counts: NDArray[np.int64], share: float) -> None:
        import numpy as np

        self.share = share
        total = counts.sum(axis=0)
        # as often as their pixels, but for the balance of the square root
        chance = np.where(total > 0, balance(total) * total, 0.0)
        self._chance = chance / chance.sum()
        enough = np.minimum(counts.max(axis=0), _LEAST_PIXELS)
        seen = np.where(counts >= np.maximum(enough, 1), np.sqrt(counts), 0.0)
        self._pictures = seen / np.maximum(seen.sum(axis=0), 1e-9)

    def draw(self, rng: np.random.Generator) -> tuple[int, int]:
        """Return a picture's index and the class id that it is to show."""
        class_id = int(rng.choice(len(self._chance), p=self._chance))
        chance = self._pictures[:, class_id]
        return int(rng.choice(len(chance), p=chance)), class_id


def pixel_of(
    rng: np.random.Generator, ids: NDArray[np.uint8], class_id: int
) -> tuple[int, int]:
    """Return row and column of one of a class's pixels in ``(H, W)`` class ids."""
    import numpy as np

    found = np.flatnonzero(ids == class_id)
    row, column = divmod(int(rng.choice(found)), ids.shape[1])
    return row, column
