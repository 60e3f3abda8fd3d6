"""Whether a frame goes on from the one before, or is the first of another scene."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Mean difference of two thumbnails, in grey levels, above which they show two scenes.
# Measured: cuts between 80 photos give 34 to 107, between drawn scenes 31 to 56; a
# fast pan over a photo gives up to 27, a step of 20 % in exposure 22, motion 1 to 3.
_CUT = 29.0
_THUMBNAIL_WH = (16, 12)
# pixels of a frame's shorter side that the thumbnail is made of
_LOOKED_AT = 96
# a pause after which the frames before say little, seconds
_PAUSE_S = 2.0


class Scene:
    """Looks at a thumbnail of every frame, and compares it with the one before."""

    def __init__(self) -> None:
        self._thumbnail: NDArray[np.float32] | None = None
        self._size: tuple[int, ...] = ()
        self._time_s = 0.0

    def goes_on(self, frame: NDArray[np.uint8], time_s: float) -> bool:
        """Return whether a frame goes on from the last one.

        Another size, a pause or a cut is another scene, and so is the first frame.

        Parameters
        ----------
        frame : ndarray
            ``(H, W, 3)`` uint8.
        time_s : float
            When it was captured.
        """
        import cv2
        import numpy as np

        step = max(1, min(frame.shape[:2]) // _LOOKED_AT)
        some = np.ascontiguousarray(frame[::step, ::step])
        small = cv2.resize(some, _THUMBNAIL_WH, interpolation=cv2.INTER_AREA)
        thumbnail = np.asarray(small, np.float32)
        last = self._thumbnail
        alike = (
            last is not None
            and frame.shape == self._size
            and 0 <= time_s - self._time_s <= _PAUSE_S
            and float(np.abs(thumbnail - last).mean()) <= _CUT
        )
        self._thumbnail, self._size, self._time_s = thumbnail, frame.shape, time_s
        return alike
