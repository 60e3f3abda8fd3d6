"""Things followed from frame to frame: the same blob keeps the same number."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edgeseg.runtime.segmentation.blobs import Blob
    from edgeseg.runtime.zones.polygon import Point

_PATH = 64  # places that are kept of a path
# Seconds over which the speed is averaged: long enough for the jitter of a mask's
# edge, short enough for a person who turns around
_SPEED_S = 0.3
# How far from where it is expected a thing may be found, in diagonals of its box: a
# person walks about one of its own heights a second, and runs three
_REACH, _REACH_PER_S = 0.5, 3.0


@dataclass(frozen=True)
class Track:
    """A thing that is seen in the present frame.

    Parameters
    ----------
    id : int
        Counts from 1; never used twice in a run.
    blob : Blob
        What is seen of it.
    first_s, seen_s : float
        When it was seen first and, in this frame, last: seconds on the frames' clock.
    path : tuple of (float, float, float)
        Its last places, at most 64: x, y and seconds.
    """

    id: int
    blob: Blob
    first_s: float
    seen_s: float
    path: tuple[tuple[float, float, float], ...]

    @property
    def age_s(self) -> float:
        """Seconds since it was seen first."""
        return self.seen_s - self.first_s

    def anchor(self, kind: str) -> Point:
        """Return the point that stands for it, in pixels: ``centre`` or ``foot``."""
        if kind == "foot":
            return self.blob.foot
        x, y = self.blob.centroid
        return x + 0.5, y + 0.5  # a centroid counts from the middle of pixel 0


class Tracker:
    """Follows blobs over frames.

    A blob is the thing of the same class that was expected nearest to it: first by the
    overlap of their boxes, then by their distance. All that is remembered counts in
    seconds and not in frames, so that 5 frames a second and dropped frames give the
    same as 30.

    Parameters
    ----------
    lost_s : float
        Seconds for which a thing that is not seen is remembered.
    """

    def __init__(self, lost_s: float = 1.0) -> None:
        self._lost_s = lost_s
        self._followed: list[_Followed] = []
        self._last_id = 0
        self._now_s = -math.inf

    @property
    def alive(self) -> set[int]:
        """Numbers of the things that are remembered."""
        return {one.id for one in self._followed}

    def update(self, blobs: Sequence[Blob], now_s: float) -> list[Track]:
        """Take the blobs of a frame.

        Parameters
        ----------
        blobs : sequence of Blob
            All that are to be followed.
        now_s : float
            Seconds on the frames' clock. Where it goes back, everything starts anew.

        Returns
        -------
        list of Track
            One a blob, in the same order.
        """
        if now_s < self._now_s:
            self._followed = []
        self._now_s = now_s
        self._followed = [
            one for one in self._followed if now_s - one.seen_s <= self._lost_s
        ]
        found = self._assigned(blobs, now_s)
        tracks = []
        for index, blob in enumerate(blobs):
            one = found.get(index)
            if one is None:
                self._last_id += 1
                one = _Followed(self._last_id, blob, now_s)
                self._followed.append(one)
            else:
                one.move(blob, now_s)
            tracks.append(one.track())
        return tracks

    def _assigned(self, blobs: Sequence[Blob], now_s: float) -> dict[int, _Followed]:
        """Return the followed thing of each blob that has one, by the blob's index."""
        pairs = []
        for place, one in enumerate(self._followed):
            expected = one.expected(now_s)
            for index, blob in enumerate(blobs):
                if blob.class_id != one.blob.class_id:
                    continue
                cost = _cost(one.blob, expected, blob, now_s - one.seen_s)
                if cost is not None:
                    pairs.append((cost, place, index))
        # the surest pair first: with things that are apart this is the best of all
        # assignments, and things that touch are one blob anyway
        found: dict[int, _Followed] = {}
        taken: set[int] = set()
        for _, place, index in sorted(pairs):
            if place not in taken and index not in found:
                taken.add(place)
                found[index] = self._followed[place]
        return found


class _Followed:
    """What a tracker remembers of one thing."""

    def __init__(self, number: int, blob: Blob, now_s: float) -> None:
        self.id, self.blob = number, blob
        self.first_s = self.seen_s = now_s
        self._speed = 0.0, 0.0  # pixels a second
        self._path = deque([(*blob.centroid, now_s)], maxlen=_PATH)

    def expected(self, now_s: float) -> Point:
        """Return where its centroid should be."""
        passed = now_s - self.seen_s
        x, y = self.blob.centroid
        return x + self._speed[0] * passed, y + self._speed[1] * passed

    def move(self, blob: Blob, now_s: float) -> None:
        """Take what is seen of it now."""
        passed = now_s - self.seen_s
        if passed > 0:
            news = 1 - math.exp(-passed / _SPEED_S)
            pairs = zip(self._speed, blob.centroid, self.blob.centroid, strict=True)
            vx, vy = (v + news * ((to - at) / passed - v) for v, to, at in pairs)
            self._speed = vx, vy
        self.blob, self.seen_s = blob, now_s
        self._path.append((*blob.centroid, now_s))

    def track(self) -> Track:
        return Track(self.id, self.blob, self.first_s, self.seen_s, tuple(self._path))


def _cost(last: Blob, expected: Point, blob: Blob, passed_s: float) -> float | None:
    """Return 0..1 for boxes that overlap, 1..2 for others within reach, else None."""
    dx, dy = expected[0] - blob.centroid[0], expected[1] - blob.centroid[1]
    reach = math.hypot(*last.box[2:]) * (_REACH + _REACH_PER_S * passed_s)
    distance = math.hypot(dx, dy)
    if distance > reach:
        return None
    shift = expected[0] - last.centroid[0], expected[1] - last.centroid[1]
    overlap = _overlap(last.box, shift, blob.box)
    return 1 - overlap if overlap > 0 else 1 + distance / (reach or 1)


def _overlap(
    box: Iterable[int], shift: Point, other: tuple[int, int, int, int]
) -> float:
    """Return the intersection over union of a box that has moved and another."""
    left, top, width, height = box
    x, y = left + shift[0], top + shift[1]
    across = min(x + width, other[0] + other[2]) - max(x, other[0])
    down = min(y + height, other[1] + other[3]) - max(y, other[1])
    if across <= 0 or down <= 0:
        return 0.0
    both = across * down
    return both / (width * height + other[2] * other[3] - both)
