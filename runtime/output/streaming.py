"""The contract of sinks that hand frames to a GStreamer child as they come."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError
from edgeseg.devices.base import Closing
from edgeseg.runtime.gstreamer import GstWriter
from edgeseg.runtime.output.newest_only import NewestOnly
from edgeseg.runtime.output.sink import Sink

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.segmentation.segmenter import Segmentation


_logger = logging.getLogger(__name__)
_USUAL_FPS = 30.0
# A run has to end soon, also where a stream hangs; a busy machine may leave an encoder
# without processor time for two seconds, which is no fault of the stream
_START_S, _STALL_S = 8.0, 5.0
# H.264 with the least delay and a key frame every second or two, so that who joins
# sees a picture soon
H264 = (
    "x264enc tune=zerolatency speed-preset=veryfast bitrate=4000 key-int-max=30 "
    "! video/x-h264,profile=main"
)


# what GStreamer says where nothing can have been received
_NEVER_BEGAN = re.compile("could not open|failed to connect", re.IGNORECASE)


class StreamingSink(Sink):
    """Streams what is drawn; frames that the child does not take in time are dropped.

    All frames get the first one's size.

    Parameters
    ----------
    pipeline : str
        What follows raw video; see `GstWriter`.
    style : Style
        How to draw, and the frame rate.
    name : str
        What messages call the sink.
    """

    def __init__(self, pipeline: str, style: Style, name: str) -> None:
        self._style = style
        self._child = _GstChild(pipeline, style.fps or _USUAL_FPS, name)
        self._worker = NewestOnly(self._child.write, name)

    @property
    def live(self) -> bool:
        """True: frames are dropped where the stream cannot keep up."""
        return True

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Draw one frame and leave it for the child."""
        self._worker.put(self._style.draw(capture, segmentation))

    def check(self) -> None:
        """Raise what the child has failed with."""
        self._worker.check()

    def close(self) -> None:
        """End the stream."""
        try:
            self._worker.close(_STALL_S)
        finally:
            self._child.close()


class _GstChild(Closing):
    """A GStreamer child that is started when the first frame's size is known."""

    def __init__(self, pipeline: str, fps: float, name: str) -> None:
        self._pipeline, self._fps, self._name = pipeline, fps, name
        self._size = FirstSize()
        self._writer: GstWriter | None = None

    def write(self, frame: NDArray[np.uint8]) -> None:
        fitted = self._size.fit(frame)
        if self._writer is None:
            self._writer = GstWriter(
                self._pipeline,
                self._size.size_wh,
                self._fps,
                live=True,
                start_s=_START_S,
                stall_s=_STALL_S,
                name=self._name,
            )
        self._writer.write(fitted)

    def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            writer.close()
        except OutputError as error:
            if _NEVER_BEGAN.search(str(error)):
                raise
            # after its last frame a stream has nothing to lose: some servers hang up
            # first, and a window may be closed just now
            _logger.info("%s at its end: %s", self._name, error)


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
        from edgeseg.runtime.segmentation.letterbox import Letterbox, scale_and_pad

        return scale_and_pad(frame, Letterbox.of(hw, (height, width), "letterbox"), 0)


def _padded(frame: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    import cv2
    import numpy as np

    edge = cv2.BORDER_REPLICATE
    return np.asarray(cv2.copyMakeBorder(frame, 0, rows, 0, columns, edge), np.uint8)
