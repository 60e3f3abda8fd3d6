"""Recordings of events, with the seconds before and after."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices.base import Closing
from edgeseg.runtime.output.recording.clock import VideoClock

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.output.recording.recorder import Recorder

_log = logging.getLogger(__name__)
_QUALITY = 92  # of JPEG; what H.264 loses afterwards is more
_MOST_BYTES = 64 * 2**20
_CATCH_UP = 3  # frames written for each one that comes, so that none has to wait long


@dataclass(frozen=True)
class _Kept:
    """A frame in memory."""

    jpeg: NDArray[np.uint8]
    stamp_s: float
    time_s: float
    clock_s: float


class EventRecorder(Closing):
    """Gives a recorder the frames of events, each event being a piece of its own.

    The frames before an event wait as JPEG, in 64 MB of memory at most. Once it begins
    they are written a few at a time, and the frames that come meanwhile queue behind
    them, so that a camera's frames are not held up.

    Parameters
    ----------
    recorder : Recorder
        Gets the frames; closed by `close`.
    fps : float or None
        Frames a second where the source has such a rate.
    before_s, after_s : float
        Seconds that are recorded before an event begins, and after its last frame.
    """

    def __init__(
        self, recorder: Recorder, fps: float | None, before_s: float, after_s: float
    ) -> None:
        self._recorder = recorder
        self._before_s, self._after_s = before_s, after_s
        self._clock = VideoClock(fps)
        self._waiting: deque[_Kept] = deque()
        self._bytes = 0
        self._until_s: float | None = None  # of the event, None between events
        self._said = False

    def write(
        self, frame: NDArray[np.uint8], time_s: float, clock_s: float, *, active: bool
    ) -> None:
        """Take a frame.

        Parameters
        ----------
        frame : ndarray
            ``(H, W, 3)`` uint8 RGB with even sides.
        time_s, clock_s : float
            As `Recorder.write` takes them.
        active : bool
            Whether what is to be recorded is in it.

        Raises
        ------
        OutputError
            The recording cannot be written.
        """
        stamp_s = self._clock.stamp(time_s)
        if self._until_s is not None and stamp_s > self._until_s and not active:
            self._end()
        if active and self._until_s is None:
            self._forget(stamp_s - self._before_s)
        if active:
            self._until_s = stamp_s + self._after_s
        if self._until_s is not None and not self._waiting:
            self._recorder.write(frame, time_s, clock_s)
            return
        self._keep(_Kept(_encoded(frame), stamp_s, time_s, clock_s))
        if self._until_s is None:
            self._forget(stamp_s - self._before_s)
        else:
            self._release(_CATCH_UP)

    def check(self) -> None:
        """Raise `OutputError` if the file that is being written was removed."""
        self._recorder.check()

    def close(self) -> None:
        """Write what waits of an event, and finish its file."""
        try:
            if self._until_s is not None:
                self._release(len(self._waiting))
        finally:
            self._until_s = None
            self._waiting.clear()
            self._recorder.close()

    def _end(self) -> None:
        self._release(len(self._waiting))
        self._until_s = None
        self._recorder.end_piece()

    def _keep(self, kept: _Kept) -> None:
        self._waiting.append(kept)
        self._bytes += kept.jpeg.nbytes

    def _forget(self, before_s: float) -> None:
        """Let go of frames that are too old, or more than the memory may hold."""
        while self._waiting and (
            self._waiting[0].stamp_s < before_s or self._bytes > _MOST_BYTES
        ):
            full = self._waiting[0].stamp_s >= before_s
            if full and not self._said:
                self._said = True
                held_s = self._waiting[-1].stamp_s - self._waiting[0].stamp_s
                _log.warning(
                    "the frames before an event take more than %d MB: only %.1f s of "
                    "them are kept, not %g s",
                    *(_MOST_BYTES // 2**20, held_s, self._before_s),
                )
            self._bytes -= self._waiting.popleft().jpeg.nbytes

    def _release(self, count: int) -> None:
        for _ in range(min(count, len(self._waiting))):
            kept = self._waiting.popleft()
            self._bytes -= kept.jpeg.nbytes
            self._recorder.write(_decoded(kept.jpeg), kept.time_s, kept.clock_s)


def _encoded(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2
    import numpy as np

    bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return np.asarray(jpeg, np.uint8)


def _decoded(jpeg: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2
    import numpy as np

    bgr = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
