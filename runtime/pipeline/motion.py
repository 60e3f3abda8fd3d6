"""How a picture has moved since the frame before, on the network's grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.runtime.segmentation.letterbox import Letterbox

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Longer side of the grey picture in which motion is looked for; `flicker`, a study of
# the benchmarks, measures what it costs and gives.
_SIDE = 160
# Its shorter side is this at least: at an eighth of it the search still needs eight
# pixels, and ends the process where there are fewer
_LEAST = 64
# Difference of a picture and the moved one before it, in grey levels: up to the first
# it is noise, from the second on another thing is seen there
_SAME, _OTHER = 4.0, 16.0


@dataclass(frozen=True)
class Motion:
    """Where each cell of a grid was in the frame before.

    Parameters
    ----------
    columns, rows : ndarray
        ``(h, w)`` float32 coordinates in the grid of the frame before.
    trust : ndarray
        ``(h, w)`` float32, 0..1: how surely the same thing is seen there.
    """

    columns: NDArray[np.float32]
    rows: NDArray[np.float32]
    trust: NDArray[np.float32]

    def follow(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a plane ``(h, w)`` of the frame before, moved to this frame."""
        import cv2
        import numpy as np

        moved = cv2.remap(
            np.ascontiguousarray(plane),
            self.columns,
            self.rows,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(moved, np.float32)


class MotionFinder:
    """Compares each frame with the one before: dense inverse search optical flow.

    Parameters
    ----------
    input_hw, grid_hw : (int, int)
        Height and width of the network's input, and of the grid that covers it.
    fit : {"letterbox", "stretch"}
        How a frame is placed on the input.

    References
    ----------
    Kroeger, Timofte, Dai, Van Gool: "Fast Optical Flow using Dense Inverse Search",
    ECCV 2016.
    """

    def __init__(
        self, input_hw: tuple[int, int], grid_hw: tuple[int, int], fit: str
    ) -> None:
        import cv2

        self._input_hw, self._grid_hw, self._fit = input_hw, grid_hw, fit
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._before: NDArray[np.uint8] | None = None

    def reset(self) -> None:
        """Forget the frame before."""
        self._before = None

    def find(self, frame: NDArray[np.uint8]) -> Motion | None:
        """Return how a frame has moved; None for the first.

        Parameters
        ----------
        frame : ndarray
            ``(H, W, 3)`` uint8 RGB, of the size of the one before.
        """
        grey, before = _small_grey(frame), self._before
        self._before = grey
        if before is None or before.shape != grey.shape:
            return None
        # from this frame to the one before, as `cv2.remap` wants it
        flow = self._flow.calc(grey, before, None)
        trust = _trust(grey, before, flow)
        return self._on_grid(flow, trust, (frame.shape[0], frame.shape[1]))

    def _on_grid(
        self,
        flow: NDArray[np.float32],
        trust: NDArray[np.float32],
        frame_hw: tuple[int, int],
    ) -> Motion:
        import cv2
        import numpy as np

        letterbox = Letterbox.of(frame_hw, self._input_hw, self._fit)
        height, width = (
            max(1, round(grid * scaled / whole))
            for grid, scaled, whole in zip(
                self._grid_hw, letterbox.scaled_hw, self._input_hw, strict=True
            )
        )
        # what is beyond the picture moves as its border does; nobody sees it
        below, beside = self._grid_hw[0] - height, self._grid_hw[1] - width
        planes = [
            cv2.copyMakeBorder(
                cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA),
                *(0, below, 0, beside),
                cv2.BORDER_REPLICATE,
            )
            for plane in (flow[..., 0], flow[..., 1], trust)
        ]
        columns = np.arange(self._grid_hw[1], dtype=np.float32)
        rows = np.arange(self._grid_hw[0], dtype=np.float32)[:, None]
        return Motion(
            columns + planes[0] * np.float32(width / flow.shape[1]),
            rows + planes[1] * np.float32(height / flow.shape[0]),
            planes[2],
        )


def _small_grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2
    import numpy as np

    height, width = frame.shape[:2]
    scale = _SIDE / max(height, width)
    size_wh = max(_LEAST, round(width * scale)), max(_LEAST, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(frame, size_wh, interpolation=how)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def _trust(
    grey: NDArray[np.uint8], before: NDArray[np.uint8], flow: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return 1 where the moved picture is the new one, 0 where it is another."""
    import cv2
    import numpy as np

    columns = np.arange(grey.shape[1], dtype=np.float32)
    rows = np.arange(grey.shape[0], dtype=np.float32)[:, None]
    moved = cv2.remap(
        before,
        columns + flow[..., 0],
        rows + flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
    )
    differs = cv2.blur(cv2.absdiff(grey, moved).astype(np.float32), (3, 3))
    trust = (_OTHER - differs) / (_OTHER - _SAME)
    return np.asarray(np.clip(trust, 0, 1), np.float32)
