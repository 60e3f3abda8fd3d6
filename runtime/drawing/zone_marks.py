"""Zones and lines in a picture: their outlines, and effects that end at them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from edgeseg.runtime.zones.polygon import in_pixels, polygon_mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.drawing.look import Look
    from edgeseg.runtime.zones.events import Watched
    from edgeseg.runtime.zones.line import Line
    from edgeseg.runtime.zones.polygon import Point
    from edgeseg.runtime.zones.zone import Zone

_QUIET, _PRESENT = (255, 255, 255), (255, 200, 0)  # RGB
_DARK = (0, 0, 0)


def confined(
    drawn: NDArray[np.uint8],
    frame: NDArray[np.uint8],
    look: Look,
    zones: Sequence[Zone],
) -> NDArray[np.uint8]:
    """Return what an effect has drawn where the look wants it, else the frame.

    Parameters
    ----------
    drawn : ndarray
        ``(H, W, 3)`` or ``(H, W, 4)`` uint8, an effect's picture; left as it is.
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB.
    look : Look
        Names the zones in which, or outside of which, the effect is wanted.
    zones : sequence of Zone
        All that there are.
    """
    import cv2
    import numpy as np

    names = look.inside or look.outside
    if not names:
        return drawn
    corners = tuple(zone.points for zone in zones if zone.name in names)
    height, width = frame.shape[:2]
    mask = _union(corners, (height, width))
    if look.inside:
        mask = cv2.bitwise_not(mask)
    plain = frame
    if drawn.shape[2] == 4:
        plain = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2RGBA), np.uint8)
    return np.asarray(cv2.copyTo(plain, mask, drawn.copy()), np.uint8)


def mark(
    picture: NDArray[np.uint8],
    zones: Sequence[Zone],
    lines: Sequence[Line],
    watched: Watched | None,
) -> NDArray[np.uint8]:
    """Draw zones with what is in them, and lines with what has crossed.

    Parameters
    ----------
    picture : ndarray
        ``(H, W, 3)`` uint8 RGB, left as it is.
    zones, lines : sequence of Zone, sequence of Line
        What is drawn.
    watched : Watched or None
        Gives the counts, and which zones have something in them: they are yellow.

    Returns
    -------
    ndarray
        A new picture.
    """
    import numpy as np

    marked = picture.copy()
    height, width = picture.shape[:2]
    for zone in zones:
        classes = watched.zones.get(zone.name, {}) if watched else {}
        present = {label: one for label, one in classes.items() if one.present}
        colour = _PRESENT if present else _QUIET
        points = in_pixels(f"zone {zone.name}", zone.points, (height, width))
        corners = np.round(points).astype(np.int32)
        _stroke(marked, [corners], colour, closed=True)
        counts = "".join(f", {label} {one.count}" for label, one in present.items())
        x, y = min(points, key=lambda point: point[1])
        _write(marked, f"{zone.name}{counts}", (x, y), colour)
    for line in lines:
        points = in_pixels(f"line {line.name}", line.points, (height, width))
        counted = watched.lines.get(line.name, {}) if watched else {}
        _draw_line(marked, line, points, counted)
    return marked


def _draw_line(
    picture: NDArray[np.uint8],
    line: Line,
    points: Sequence[Point],
    counted: Mapping[str, int],
) -> None:
    """Draw a line, an arrow in its first direction, and its counts."""
    import numpy as np

    (x0, y0), (x1, y1) = points
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    along = np.array([x1 - x0, y1 - y0]) / np.hypot(x1 - x0, y1 - y0)
    across = np.array([-along[1], along[0]])  # to the right of the way along it
    size = max(8, min(picture.shape[:2]) // 20)
    tip = middle + across * size
    wings = [tip - across * size / 2 + along * side * size / 3 for side in (1, -1)]
    strokes = [[(x0, y0), (x1, y1)], [middle, tip], [wings[0], tip, wings[1]]]
    rounded = [np.round(np.array(each)).astype(np.int32) for each in strokes]
    _stroke(picture, rounded, _QUIET, closed=False)
    counts = "".join(f", {way} {counted.get(way, 0)}" for way in line.directions)
    _write(picture, f"{line.name}{counts}", (tip[0], tip[1]), _QUIET)


def _stroke(
    picture: NDArray[np.uint8],
    shapes: Sequence[NDArray[np.int32]],
    colour: tuple[int, int, int],
    *,
    closed: bool,
) -> None:
    """Draw lines that are seen on light and on dark."""
    import cv2

    wide = max(1, min(picture.shape[:2]) // 300)
    cv2.polylines(picture, shapes, closed, _DARK, wide + 2, cv2.LINE_AA)
    cv2.polylines(picture, shapes, closed, colour, wide, cv2.LINE_AA)


def _write(
    picture: NDArray[np.uint8],
    text: str,
    place: tuple[float, float],
    colour: tuple[int, int, int],
) -> None:
    import cv2

    height, width = picture.shape[:2]
    scale, font = max(14, min(height, width) // 26) / 34, cv2.FONT_HERSHEY_SIMPLEX
    plain = text.encode("ascii", "replace").decode()
    (wide, high), _ = cv2.getTextSize(plain, font, scale, 1)
    x = int(min(max(2, place[0] + 4), max(2, width - wide - 4)))
    y = int(min(max(high + 4, place[1] + high + 6), height - 4))
    cv2.putText(picture, plain, (x, y), font, scale, _DARK, 3, cv2.LINE_AA)
    cv2.putText(picture, plain, (x, y), font, scale, colour, 1, cv2.LINE_AA)


@lru_cache(maxsize=8)
def _union(
    polygons: tuple[tuple[Point, ...], ...], frame_hw: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return ``(H, W)`` uint8: 255 inside of one of the polygons, else 0."""
    import numpy as np

    ys, xs = (np.arange(0.5, side) for side in frame_hw)
    mask = np.zeros(frame_hw, np.bool_)
    for points in polygons:
        mask |= polygon_mask(in_pixels("zone", points, frame_hw), xs, ys)
    return mask.astype(np.uint8) * 255
