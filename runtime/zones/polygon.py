"""Polygons and lines in pixels or fractions of a frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Point = tuple[float, float]

MOST_POINTS = 100
_FORM = "points in pixels or, all at most 1, as fractions of the frame"


def check_points(where: str, points: Sequence[Point], count: tuple[int, int]) -> None:
    """Raise `InputError` unless these are so many points of a frame.

    Parameters
    ----------
    where : str
        What they are of, for the message.
    points : sequence of (float, float)
        x and y.
    count : (int, int)
        How many there may be, at least and at most.
    """
    low, high = count
    if not low <= len(points) <= high:
        many = f"{low}" if low == high else f"{low} to {high}"
        raise InputError(f"{where}: points: expected {many} {_FORM}, got {len(points)}")
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y) and x >= 0 and y >= 0):
            raise InputError(f"{where}: points: expected {_FORM}, got {x:g},{y:g}")
    if len(set(points)) < len(points):
        twice = next(p for p in points if list(points).count(p) > 1)
        raise InputError(
            f"{where}: points: expected each point once, got {twice[0]:g},{twice[1]:g} "
            "more often"
        )


def check_simple(where: str, points: Sequence[Point]) -> None:
    """Raise `InputError` where a polygon crosses itself or has no area."""
    edges = list(zip(points, [*points[1:], points[0]], strict=True))
    for i, first in enumerate(edges):
        for j in range(i + 1, len(edges)):
            if j in (i + 1, (i - 1) % len(edges)):
                continue  # neighbours share a point
            if touch(first, edges[j]):
                raise InputError(
                    f"{where}: points: expected a polygon that does not cross itself, "
                    f"but the side from {_text(first)} meets the one from "
                    f"{_text(edges[j])}"
                )
    for (a, b), (_, c) in zip(edges, [*edges[1:], edges[0]], strict=True):
        # a side that runs back over the one before
        if _turn(a, b, c) == 0 and _dot(a, b, c) > 0:
            raise InputError(
                f"{where}: points: expected a polygon that does not cross itself, but "
                f"it turns back at {b[0]:g},{b[1]:g}"
            )
    if not area_of(points):
        raise InputError(f"{where}: points: expected an area, got points on one line")


def area_of(points: Sequence[Point]) -> float:
    """Return a polygon's area."""
    pairs = zip(points, [*points[1:], points[0]], strict=True)
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2


def in_pixels(
    where: str, points: Sequence[Point], frame_hw: tuple[int, int]
) -> list[Point]:
    """Return points in pixels of a frame.

    Raises
    ------
    InputError
        One is outside of it; the message names both sizes.
    """
    height, width = frame_hw
    if all(x <= 1 and y <= 1 for x, y in points):
        return [(x * width, y * height) for x, y in points]
    right, bottom = (max(p[axis] for p in points) for axis in (0, 1))
    if right > width or bottom > height:
        raise InputError(
            f"{where}: points: they reach to {right:g},{bottom:g}, but the frame is "
            f"{width}x{height}: expected points within it, or fractions up to 1"
        )
    return list(points)


def polygon_mask(
    points: Sequence[Point], xs: NDArray[np.float64], ys: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which places of a grid are inside of a polygon.

    Parameters
    ----------
    points : sequence of (float, float)
        The polygon, in pixels.
    xs, ys : ndarray
        ``(W,)`` and ``(H,)``: the grid's columns and rows, in pixels.

    Returns
    -------
    ndarray
        ``(H, W)`` bool.
    """
    import numpy as np

    mask = np.zeros((len(ys), len(xs)), np.bool_)
    # even-odd rule: a ray to the left passes the sides once more or twice more
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        rows = np.flatnonzero((y0 <= ys) != (y1 <= ys))
        crossing = x0 + (ys[rows] - y0) * ((x1 - x0) / (y1 - y0 or 1.0))
        mask[rows] ^= xs > crossing[:, None]
    return mask


def touch(first: tuple[Point, Point], second: tuple[Point, Point]) -> bool:
    """Return whether two straight lines between points have one in common."""
    (a, b), (c, d) = first, second
    abc, abd, cda, cdb = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if abc * abd < 0 and cda * cdb < 0:
        return True
    ends = ((abc, a, b, c), (abd, a, b, d), (cda, c, d, a), (cdb, c, d, b))
    return any(t == 0 and _within(p, q, r) for t, p, q, r in ends)


def side_of(line: tuple[Point, Point], point: Point) -> float:
    """Return how far a point is from a straight line, in pixels.

    Above 0 it is to the right as seen from the line's first point, below to the left.
    """
    (x0, y0), (x1, y1) = line
    return _turn((x0, y0), (x1, y1), point) / math.hypot(x1 - x0, y1 - y0)


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _dot(a: Point, b: Point, c: Point) -> float:
    return (a[0] - b[0]) * (c[0] - b[0]) + (a[1] - b[1]) * (c[1] - b[1])


def _within(a: Point, b: Point, c: Point) -> bool:
    return all(min(a[k], b[k]) <= c[k] <= max(a[k], b[k]) for k in (0, 1))


def _text(edge: tuple[Point, Point]) -> str:
    (x0, y0), (x1, y1) = edge
    return f"{x0:g},{y0:g} to {x1:g},{y1:g}"
