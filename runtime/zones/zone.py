"""A named part of the picture, and when something counts as being there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgeseg.devices import InputError
from edgeseg.runtime.zones.polygon import MOST_POINTS, check_points, check_simple

ANCHORS = ("centre", "foot")
_LONGEST_S = 86_400.0


@dataclass(frozen=True)
class Zone:
    """A polygon of the picture in which classes are looked for.

    Parameters
    ----------
    name : str
        What events and topics call it.
    points : tuple of (float, float)
        x and y of the corners in pixels or, all at most 1, in fractions of the frame.
    classes : tuple of str
        Classes that count; empty for those that are shown.
    min_area : float
        Smaller things do not count: pixels, or below 1 a share of the frame.
    enter_s : float
        Seconds for which something has to be there before it has entered.
    leave_s : float
        Seconds for which it has to be gone before it has left.
    dwell_s : float or None
        Seconds after which something that is still there is said to dwell; None: never.
    threshold : float or None
        Share of the zone from which on a class is present; it stays so down to half of
        this. None: a class is present while there is one thing of it.
    anchor : {"centre", "foot"}
        The point of a thing that has to be inside: its centroid, or the middle of its
        lower edge.

    Raises
    ------
    InputError
        A value is none of these; the message names the zone and the key.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    classes: tuple[str, ...] = ()
    min_area: float = 0.001
    enter_s: float = 0.5
    leave_s: float = 1.0
    dwell_s: float | None = None
    threshold: float | None = None
    anchor: str = "centre"

    def __post_init__(self) -> None:
        where = f"zone {self.name}"
        check_name("zone", self.name)
        check_points(where, self.points, (3, MOST_POINTS))
        check_simple(where, self.points)
        check_number(where, "min_area", self.min_area, (0, math.inf))
        for key in ("enter_s", "leave_s", "dwell_s"):
            check_number(where, key, getattr(self, key), (0, _LONGEST_S))
        check_number(where, "threshold", self.threshold, (0, 1), above=True)
        check_anchor(where, self.anchor)


def check_name(kind: str, name: str) -> None:
    """Raise `InputError` unless a name can stand in topics, options and a picture."""
    if (
        not name
        or len(name) > 40
        or not name.isprintable()
        or set(name) & set("/#+=,;")
    ):
        raise InputError(
            f"{kind}: name: expected 1 to 40 characters without any of / # + = , ; "
            f"got {name!r}"
        )


def check_number(
    where: str,
    key: str,
    value: float | None,
    within: tuple[float, float],
    *,
    above: bool = False,
) -> None:
    """Raise `InputError` unless a number is within bounds, the low one included.

    Parameters
    ----------
    where, key : str
        What it is of, for the message.
    value : float or None
        None is always right.
    within : (float, float)
        The least and the largest.
    above : bool
        The low bound itself is too low.
    """
    low, high = within
    if value is None:
        return
    fits = (
        math.isfinite(value) and low <= value <= high and not (above and value == low)
    )
    if not fits:
        lowest = f"more than {low:g}" if above else f"{low:g} or more"
        most = "" if math.isinf(high) else f", at most {high:g}"
        raise InputError(f"{where}: {key}: expected {lowest}{most}, got {value:g}")


def check_anchor(where: str, anchor: str) -> None:
    """Raise `InputError` unless an anchor is known."""
    if anchor not in ANCHORS:
        raise InputError(
            f"{where}: anchor: expected {' or '.join(ANCHORS)}, got {anchor!r}"
        )
