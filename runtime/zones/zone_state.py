"""A zone laid over frames of one size, and what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.segmentation.blobs import area_in_pixels, offset
from edgeseg.runtime.zones.events import ClassInZone
from edgeseg.runtime.zones.polygon import in_pixels, polygon_mask
from edgeseg.runtime.zones.presence import Presence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.zones.tracking import Track
    from edgeseg.runtime.zones.zone import Zone


class ZoneState:
    """What is known of one zone.

    Parameters
    ----------
    zone : Zone
        Which one.
    class_ids : sequence of int
        Classes that count.
    """

    def __init__(self, zone: Zone, class_ids: Sequence[int]) -> None:
        self.zone = zone
        self.presences = {class_id: Presence(zone) for class_id in class_ids}
        self._mask: NDArray[np.uint8] | None = None
        self._pixels = 0
        self._step, self._least = 1, 0.0

    def fit(self, frame_hw: tuple[int, int], step: int) -> None:
        """Lay the zone over a frame of this size, of which every so many pixels count.

        Raises
        ------
        InputError
            It is not within the frame.
        """
        import numpy as np

        where = f"zone {self.zone.name}"
        points = in_pixels(where, self.zone.points, frame_hw)
        ys, xs = (np.arange(offset(step) + 0.5, side, step) for side in frame_hw)
        self._mask = polygon_mask(points, xs, ys).view(np.uint8)
        self._pixels = int(np.count_nonzero(self._mask))
        self._step = step
        self._least = area_in_pixels(self.zone.min_area, frame_hw)
        if not self._pixels:
            raise InputError(
                f"{where}: points: expected an area, got one between the pixels of a "
                f"frame of {frame_hw[1]}x{frame_hw[0]}"
            )

    def shares(self, grid: NDArray[np.uint8]) -> dict[int, float]:
        """Return the share of the zone that each class id covers."""
        import cv2
        import numpy as np

        assert self._mask is not None
        found = cv2.calcHist([grid], [0], self._mask, [256], [0, 256]).ravel()
        return {int(i): float(found[i]) / self._pixels for i in np.flatnonzero(found)}

    def inside(
        self, tracks: Iterable[Track], class_id: int
    ) -> list[tuple[Track, bool]]:
        """Return the things of a class that count, and whether they are inside."""
        return [
            (track, self._holds(track))
            for track in tracks
            if track.blob.class_id == class_id and track.blob.area >= self._least
        ]

    def readings(
        self, shares: dict[int, float], label: Callable[[int], str]
    ) -> dict[str, ClassInZone]:
        """Return what is there by now, by names of classes."""
        found = {}
        for class_id, presence in self.presences.items():
            share = shares.get(class_id, 0.0)
            if share or presence.count or presence.present:
                one = ClassInZone(share, presence.count, presence.present)
                found[label(class_id)] = one
        return found

    def at_once(
        self,
        tracks: Sequence[Track],
        shares: dict[int, float],
        label: Callable[[int], str],
    ) -> dict[str, ClassInZone]:
        """Return what is there in a picture that stands alone."""
        found, least = {}, self.zone.threshold
        for class_id in self.presences:
            share = shares.get(class_id, 0.0)
            count = sum(there for _, there in self.inside(tracks, class_id))
            present = count > 0 if least is None else share >= least
            if share or count:
                found[label(class_id)] = ClassInZone(share, count, present)
        return found

    def _holds(self, track: Track) -> bool:
        assert self._mask is not None
        x, y = track.anchor(self.zone.anchor)
        rows, columns = self._mask.shape
        column = min(columns - 1, max(0, int(x / self._step)))
        row = min(rows - 1, max(0, int(y / self._step)))
        return bool(self._mask[row, column])
