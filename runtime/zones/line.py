"""A line across the picture, and what has crossed it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.zones.polygon import check_points, side_of, touch
from edgeseg.runtime.zones.zone import check_anchor, check_name, check_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edgeseg.runtime.zones.polygon import Point
    from edgeseg.runtime.zones.tracking import Track

# Share of the frame's shorter side by which a thing has to be beyond the line: the
# centroid of a person who stands still on it moves by less than half of that
_MARGIN = 0.015


@dataclass(frozen=True)
class Line:
    """A straight line; things that pass it are counted for each direction.

    Parameters
    ----------
    name : str
        What events and topics call it.
    points : ((float, float), (float, float))
        x and y of its ends in pixels or, all at most 1, in fractions of the frame.
    classes : tuple of str
        Classes that count; empty for those that are shown.
    min_area : float
        Smaller things do not count: pixels, or below 1 a share of the frame.
    directions : (str, str)
        Names of the way from its left to its right, as seen from the first point to
        the second, and of the way back.
    anchor : {"centre", "foot"}
        The point of a thing that has to pass.

    Raises
    ------
    InputError
        A value is none of these; the message names the line and the key.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    classes: tuple[str, ...] = ()
    min_area: float = 0.001
    directions: tuple[str, ...] = ("in", "out")
    anchor: str = "centre"

    def __post_init__(self) -> None:
        where = f"line {self.name}"
        check_name("line", self.name)
        check_points(where, self.points, (2, 2))
        check_number(where, "min_area", self.min_area, (0, math.inf))
        check_anchor(where, self.anchor)
        if len(set(self.directions)) != 2:
            raise InputError(
                f"{where}: directions: expected two names such as in and out, got "
                f"{list(self.directions)}"
            )
        for direction in self.directions:
            check_name(f"{where}: directions", direction)


class Crossings:
    """Counts what crosses one line.

    Parameters
    ----------
    line : Line
        Which one.
    ends : ((float, float), (float, float))
        The same in pixels.
    frame_hw : (int, int)
        Height and width of the frame in pixels.
    """

    def __init__(
        self, line: Line, ends: tuple[Point, Point], frame_hw: tuple[int, int]
    ) -> None:
        self._line, self._ends = line, ends
        self._margin = _MARGIN * min(frame_hw)
        # where each thing was when it was last clearly on one side
        self._sides: dict[int, tuple[bool, Point]] = {}
        self.counts = dict.fromkeys(line.directions, 0)

    def update(self, tracks: Iterable[Track]) -> Iterator[tuple[Track, str]]:
        """Yield what has crossed since the last frame, and in which direction.

        Parameters
        ----------
        tracks : iterable of Track
            The things that are seen and count.
        """
        for track in tracks:
            here = track.anchor(self._line.anchor)
            distance = side_of(self._ends, here)
            if abs(distance) < self._margin:
                continue
            right = distance > 0
            before = self._sides.get(track.id)
            self._sides[track.id] = right, here
            if before is None or before[0] == right:
                continue
            # not where it has gone around the line's end
            if touch(self._ends, (before[1], here)):
                direction = self._line.directions[0 if right else 1]
                self.counts[direction] += 1
                yield track, direction

    def forget(self, alive: set[int]) -> None:
        """Drop what is remembered of things that are gone."""
        for gone in self._sides.keys() - alive:
            del self._sides[gone]
