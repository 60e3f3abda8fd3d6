"""Frames of changing sizes for outputs that have one: the first frame's, made even."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class FirstSize:
    """Fits all frames into the size of the first.

    Video codecs want even sides: an odd one gets its last row or column twice. A frame
    of another size than the first is letterboxed.
    """

    def __init__(self) -> None:
        self._first_hw: tuple[int, int] | None = None

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of what `fit` returns; (0, 0) before the first frame."""
        height, width = self._first_hw or (0, 0)
        return width + width % 2, height + height % 2

    def fit(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a frame of `size_wh`, the same object where nothing is to be done.

        Parameters
        ----------
        frame : ndarray
            ``(H, W, 3)`` uint8 RGB, left as it is.
        """
        hw = (frame.shape[0], frame.shape[1])
        if self._first_hw is None:
            self._first_hw = hw
        width, height = self.size_wh
        if hw == (height, width):
            return frame
        if hw == self._first_hw:
            return _padded(frame, height - hw[0], width - hw[1])
        from edgeseg.runtime.preprocess import draw_canvas, place

        return draw_canvas(frame, place(hw, (height, width), "letterbox"), 0)


def _padded(frame: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    import cv2
    import numpy as np

    edge = cv2.BORDER_REPLICATE
    return np.asarray(cv2.copyMakeBorder(frame, 0, rows, 0, columns, edge), np.uint8)
