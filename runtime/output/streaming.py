"""The contract of sinks that hand frames to a GStreamer child as they come."""

from __future__ import annotations

import logging
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError, RejectedError
from edgeseg.devices.base import Closing
from edgeseg.runtime.gstreamer import GstWriter
from edgeseg.runtime.output.connection import OutputConnection
from edgeseg.runtime.output.newest_only import NewestOnly
from edgeseg.runtime.output.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.segmentation.segmenter import Segmentation


_logger = logging.getLogger(__name__)
_USUAL_FPS = 30.0
# A run has to end soon, also where a stream hangs; a busy machine may leave an encoder
# without processor time for two seconds, which is no fault of the stream
_START_S, _STALL_S = 8.0, 5.0
# a child plays before the server has answered all that is asked of it
_WELL_S = 1.0
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
    pipeline : str or callable
        What follows raw video; see `GstWriter`. A callable returns it with each try
        to connect, or raises `OutputError` where it is too early for one.
    style : Style
        How to draw, and the frame rate.
    name : str
        What messages call the sink.
    waits : bool
        What the stream goes to may come later, go away and come back. Only what no
        other try can mend, as a missing element or a wrong password, is an error.
    is_there : callable or None
        Of one that waits: raises `OutputError` where what the stream goes to is gone,
        for pipelines that do not notice; called every second or so.
    """

    def __init__(
        self,
        pipeline: str | Callable[[], str],
        style: Style,
        name: str,
        *,
        waits: bool = False,
        is_there: Callable[[], None] | None = None,
    ) -> None:
        self._style = style
        make = (lambda: pipeline) if isinstance(pipeline, str) else pipeline
        fps = style.fps or _USUAL_FPS
        self._child = (
            _ReconnectingChild(make, fps, name, is_there)
            if waits
            else _GstChild(make, fps, name)
        )
        self._worker = NewestOnly(self._child.write, name)

    @property
    def live(self) -> bool:
        """True: frames are dropped where the stream cannot keep up."""
        return True

    @property
    def state(self) -> Json:
        """State of the connection, of a sink that waits; see `Sink.state`."""
        return self._child.state

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Draw one frame and leave it for the child."""
        if self._child.is_ready:
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

    def __init__(self, pipeline: Callable[[], str], fps: float, name: str) -> None:
        self._pipeline, self._fps, self._name = pipeline, fps, name
        self._size = FirstSize()
        self._writer: GstWriter | None = None

    @property
    def state(self) -> Json:
        """See `Sink.state`."""
        return {}

    @property
    def is_ready(self) -> bool:
        """Whether a frame would be taken."""
        return True

    def write(self, frame: NDArray[np.uint8]) -> None:
        fitted = self._size.fit(frame)
        if self._writer is None:
            self._writer = GstWriter(
                self._pipeline(),
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
            self._end_with(error)

    def _end_with(self, error: OutputError) -> None:
        """Raise what went wrong at the end, if it matters."""
        if _NEVER_BEGAN.search(str(error)):
            raise error
        # after its last frame a stream has nothing to lose: some servers hang up
        # first, and a window may be closed just now
        _logger.info("%s at its end: %s", self._name, error)


class _ReconnectingChild(_GstChild):
    """A child that is started again, after a pause, whenever it fails."""

    def __init__(
        self,
        pipeline: Callable[[], str],
        fps: float,
        name: str,
        is_there: Callable[[], None] | None,
    ) -> None:
        super().__init__(pipeline, fps, name)
        self._connection = OutputConnection(name, _logger)
        self._is_there, self._look_s = is_there, 0.0
        self._next_s, self._plays_since = 0.0, float("inf")

    @property
    def state(self) -> Json:
        return self._connection.state

    @property
    def is_ready(self) -> bool:
        return time.monotonic() >= self._next_s

    def write(self, frame: NDArray[np.uint8]) -> None:
        if not self.is_ready:
            return
        try:
            self._look()
            super().write(frame)
        except OutputError as error:
            self._give_up(str(error))
        except RejectedError as error:
            if not self._connection.was_made:
                raise
            self._give_up(str(error))
        else:
            self._note_success()

    def _look(self) -> None:
        now = time.monotonic()
        runs = self._writer is not None and now >= self._look_s
        if self._is_there is not None and runs:
            self._look_s = now + _WELL_S
            self._is_there()

    def _note_success(self) -> None:
        now = time.monotonic()
        if self._writer is not None and self._writer.plays:
            self._plays_since = min(self._plays_since, now)
        if not self._connection.connected and now - self._plays_since > _WELL_S:
            self._connection.made()

    def _give_up(self, reason: str) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(OutputError, RejectedError):
                writer.close()
        self._plays_since = float("inf")
        start = re.compile(f"(cannot start )?{re.escape(self._name)}( failed)?:? ")
        self._connection.failed(start.sub("", reason, count=1))
        self._next_s = time.monotonic() + self._connection.next_pause_s()

    def _end_with(self, error: OutputError) -> None:
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
