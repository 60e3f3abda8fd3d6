"""Rate, latency and age of a run, written along the bottom of its pictures.

The machine's temperature comes from Linux.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.sensors import read_temperature_c

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["read_temperature_c"]


def draw_statistics(
    frame: NDArray[np.uint8], lines: Sequence[str]
) -> NDArray[np.uint8]:
    """Write lines of text on a dark band at the bottom.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB, left as it is.
    lines : sequence of str
        From top to bottom. Letters shrink where a line is wider than the frame; the
        first lines are left out where all are higher than it.

    Returns
    -------
    ndarray
        A new frame.
    """
    import cv2

    drawn = frame.copy()
    height, width = frame.shape[:2]
    step = max(14, min(height, width) // 24)
    shown = [line.encode("ascii", "replace").decode() for line in lines]
    shown = shown[max(0, len(shown) - height // step) :]
    if not shown:
        return drawn
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, step / 34
    while scale > 0.1 and _widest(shown, scale) > width - 8:
        scale *= 0.9
    top = height - step * len(shown) - step // 4
    drawn[max(0, top) :] //= 3
    for row, line in enumerate(shown):
        origin = (4, height - step * (len(shown) - row) + int(step * 0.65))
        white = (255, 255, 255)
        cv2.putText(drawn, line, origin, font, scale, white, 1, cv2.LINE_AA)
    return drawn


def _widest(lines: Sequence[str], scale: float) -> int:
    import cv2

    font = cv2.FONT_HERSHEY_SIMPLEX
    return max(int(cv2.getTextSize(line, font, scale, 1)[0][0]) for line in lines)
