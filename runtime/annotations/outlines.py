"""Outlines brought to pixels: all that the line encloses or touches.

Corners are pixels here, as in contours of a mask. The other convention, in which
corners are points between pixels, is that of `edgeseg.runtime.annotations.enclosed`; a
disc of 30 pixels across has 7 % fewer there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.annotations.areas import Area
from edgeseg.runtime.annotations.entries import is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import JsonValue


def points_of(
    values: JsonValue, size_hw: tuple[int, int], where: str, *, least: int = 3
) -> NDArray[np.float64]:
    """Return the corners of an outline: ``(N, 2)`` float64, x and y in pixels.

    Parameters
    ----------
    values : list
        ``[x0, y0, x1, y1, ...]`` or ``[[x0, y0], [x1, y1], ...]``.
    size_hw : (int, int)
        Of the picture. Corners may be outside of it, but not by more than its size.
    where : str
        File and place, for messages.
    least : int
        Corners that there must be.

    Raises
    ------
    InputError
        They are something else, too few, no finite numbers, or far outside.
    """
    import numpy as np

    flat = _flat(values)
    if flat is None or len(flat) % 2 or len(flat) < 2 * least:
        got = f"{len(flat)} values" if flat is not None else "something else"
        raise InputError(
            f"{where}: expected an outline of {least} or more corners x, y, got {got}"
        )
    if not all(map(is_number, flat)):
        raise InputError(f"{where}: expected an outline of finite numbers")
    points = np.array(flat, np.float64).reshape(-1, 2)
    size_wh = np.array(size_hw[::-1], np.float64)
    if (points < -size_wh).any() or (points > 2 * size_wh).any():
        worst = points[np.abs(points - size_wh / 2).max(axis=1).argmax()]
        raise InputError(
            f"{where}: the outline leaves the picture of {size_hw[1]}x{size_hw[0]}: it "
            f"has a corner at {worst[0]:g}, {worst[1]:g}; is it of another size?"
        )
    return points


def filled(
    points: NDArray[np.float64],
    size_hw: tuple[int, int],
    holes: Sequence[NDArray[np.float64]] = (),
) -> Area:
    """Return the pixels inside an outline and those that its line touches.

    Parameters
    ----------
    points : ndarray
        ``(N, 2)`` x and y of pixels, rounded to whole ones.
    size_hw : (int, int)
        Of the picture.
    holes : sequence of ndarray
        Outlines of what is left out, lines included.
    """
    import cv2
    import numpy as np

    corners = np.rint(points).astype(np.int32)
    low, high = _clipped(corners.min(axis=0), corners.max(axis=0) + 1, size_hw)
    canvas = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    if canvas.size:
        cv2.fillPoly(canvas, [corners - low], 1)
        for hole in holes:
            cv2.fillPoly(canvas, [np.rint(hole).astype(np.int32) - low], 0)
    return Area(int(low[1]), int(low[0]), canvas.astype(np.bool_))


def stroke(points: NDArray[np.float64], size_hw: tuple[int, int], width: int) -> Area:
    """Return the pixels of an open line through some points.

    Parameters
    ----------
    points : ndarray
        ``(N, 2)`` x and y of pixels, rounded to whole ones.
    size_hw : (int, int)
        Of the picture.
    width : int
        Of the line in pixels.
    """
    import cv2
    import numpy as np

    canvas = np.zeros(size_hw, np.uint8)
    cv2.polylines(canvas, [np.rint(points).astype(np.int32)], False, 1, width)
    return Area(0, 0, canvas.astype(np.bool_))


def box(
    left: float, top: float, right: float, bottom: float, size_hw: tuple[int, int]
) -> Area:
    """Return the pixels of a rectangle, its right column and lower row included."""
    import numpy as np

    corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
    return filled(np.array(corners), size_hw)


def turned_box(
    corner: tuple[float, float],
    size_wh: tuple[float, float],
    degrees: float,
    size_hw: tuple[int, int],
) -> Area:
    """Return the pixels of a rectangle that is turned clockwise around a corner.

    Parameters
    ----------
    corner, size_wh : (float, float)
        x and y of its upper left corner, and width and height, in pixels.
    degrees : float
        Angle.
    size_hw : (int, int)
        Of the picture.
    """
    import numpy as np

    width, height = size_wh
    angle = np.deg2rad(degrees)
    across = np.array([np.cos(angle), np.sin(angle)])
    down = np.array([-np.sin(angle), np.cos(angle)])
    steps = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    points = np.array([np.array(corner) + x * across + y * down for x, y in steps])
    return filled(points, size_hw)


def ellipse(
    centre: tuple[float, float],
    radii: tuple[float, float],
    degrees: float,
    size_hw: tuple[int, int],
) -> Area:
    """Return the pixels of an ellipse that is turned clockwise around its centre."""
    import numpy as np

    turns = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    points = np.stack([radii[0] * np.cos(turns), radii[1] * np.sin(turns)], axis=1)
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return filled(points @ turn + np.array(centre), size_hw)


def _clipped(
    low: NDArray[np.int32], high: NDArray[np.int32], size_hw: tuple[int, int]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    import numpy as np

    size_wh = np.array(size_hw[::-1], np.int32)
    first = np.clip(low, 0, size_wh)
    return first, np.maximum(np.clip(high, 0, size_wh), first)


def _flat(values: JsonValue) -> list[JsonValue] | None:
    if not isinstance(values, list):
        return None
    if values and all(isinstance(each, list) and len(each) == 2 for each in values):
        return [value for pair in values for value in pair]
    return values
