"""Frames from a ``gst-launch-1.0`` child process."""

from __future__ import annotations

import os
import re
import select
import threading
import time
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_text import hide_credentials
from edgeseg.runtime.gstreamer.child import TICK, GstChild, frame_pipe, words_of
from edgeseg.runtime.gstreamer.errors import explain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_HEADER = re.compile(rb"P6\s+(\d{1,5})\s+(\d{1,5})\s+255\s")
_LONGEST_HEADER = 64  # bytes; pnmenc writes 11 to 19
_LIMIT = 8192  # pixels a side


class GstReader(Closing):
    """Frames of a pipeline, the newest ones where reading does not keep up.

    The pipeline is given without its end; a conversion to RGB and a pipe are added.
    Each frame comes with its own size (a binary PNM header, without row padding), so
    nothing is negotiated and a new resolution is just a new size.

    Parameters
    ----------
    pipeline : str
        Elements as for ``gst-launch-1.0``, the last one giving raw video.
    size_wh : (int, int) or None
        Width and height to scale to, with black borders where the aspect differs;
        the pipeline's own without.
    fps : float or None
        Frames a second at most.
    in_time : bool
        Give each frame at its time in the stream. Without, at once as it is decoded,
        which suits sources that are live themselves.
    start_s, stall_s : float
        How long to wait for the first frame and for each other, in seconds.
    name : str or None
        What messages call it; ``gst:PIPELINE`` without.

    Raises
    ------
    InputError
        The pipeline is empty or its quotation is not closed.
    MissingDriverError
        ``gst-launch-1.0`` is not installed.
    """

    def __init__(
        self,
        pipeline: str,
        *,
        size_wh: tuple[int, int] | None = None,
        fps: float | None = None,
        in_time: bool = True,
        start_s: float = 20.0,
        stall_s: float = 10.0,
        name: str | None = None,
    ) -> None:
        self._name = hide_credentials(name or f"gst:{pipeline}")
        self._wait_s, self._stall_s = start_s, stall_s
        self._interrupted = threading.Event()
        self._ahead = bytearray()
        self._closed = False
        words = words_of(pipeline)
        self._frames, writing = frame_pipe()
        os.set_blocking(self._frames, False)
        try:
            tail = _reading_end(size_wh, fps, in_time, writing)
            self._child = GstChild([*words, *tail.split()], pass_fds=[writing])
        except BaseException:
            os.close(self._frames)
            raise
        finally:
            os.close(writing)

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._child.pid

    def read(self) -> NDArray[np.uint8] | None:
        """Wait for the next frame.

        Returns
        -------
        ndarray or None
            ``(H, W, 3)`` uint8 RGB; None where the stream has ended or `interrupt`
            was called.

        Raises
        ------
        InputError
            The pipeline failed, or gave no frame in time.
        MissingDriverError
            An element or a decoder is not installed.
        """
        import numpy as np

        end = time.monotonic() + self._wait_s
        size = self._size(end)
        if size is None:
            return None
        frame = np.empty((size[1], size[0], 3), np.uint8)
        room = frame.data.cast("B")
        taken = min(len(self._ahead), len(room))
        room[:taken] = self._ahead[:taken]
        del self._ahead[:taken]
        while taken < len(room):
            got = self._receive(room[taken:], end)
            if not got:
                return None
            taken += got
        self._wait_s = self._stall_s
        return frame

    def interrupt(self) -> None:
        """Make `read` return None at once; from any thread."""
        self._interrupted.set()

    def close(self) -> None:
        """End the child."""
        if not self._closed:
            self._closed = True
            os.close(self._frames)  # it cannot be stuck writing
            self._child.close()

    def _size(self, end: float) -> tuple[int, int] | None:
        """Return width and height of the frame that begins."""
        while not (header := _HEADER.match(bytes(self._ahead))):
            chunk = bytearray(_LONGEST_HEADER)
            got = self._receive(memoryview(chunk), end)
            if not got:
                return None
            if len(self._ahead) > _LONGEST_HEADER:
                raise InputError(f"{self._name}: the pipeline writes no pictures")
            self._ahead += chunk[:got]
        size = int(header[1]), int(header[2])
        del self._ahead[: header.end()]
        if not all(0 < side <= _LIMIT for side in size):
            raise InputError(
                f"{self._name}: expected frames of 1..{_LIMIT} pixels a side, got "
                f"{size[0]}x{size[1]}"
            )
        return size

    def _receive(self, room: memoryview, end: float) -> int:
        """Fill what can be filled; 0 at the end of the stream."""
        while not self._interrupted.is_set():
            if self._child.wait_for(self._frames, select.POLLIN, TICK):
                got = os.readv(self._frames, [room])
                return got or self._ended()
            if time.monotonic() > end:
                raise InputError(
                    f"{self._name}: no frame within {self._wait_s:g} s{self._hint()}"
                )
        return 0

    def _ended(self) -> int:
        """Return 0 where the stream simply ended; raise where it failed."""
        fate = self._child.fate()
        if fate.strip() and ("ERROR" in fate or "WARNING" in fate or "killed" in fate):
            raise explain(fate, InputError, f"cannot read {self._name}")
        return 0

    def _hint(self) -> str:
        said = self._child.said
        return f": {explain(said, InputError, 'GStreamer says')}" if said else ""


def _reading_end(
    size_wh: tuple[int, int] | None, fps: float | None, in_time: bool, fd: int
) -> str:
    """Return the elements from raw video to the pipe.

    The leaky queue drops old frames before they cost a conversion. Timing comes
    before it: a file would else race through it, and live frames, which are there
    after their time, are not held up.
    """
    caps = "video/x-raw,format=RGB"
    if size_wh:
        # square pixels: so videoscale adds borders and does not stretch
        caps += f",width={size_wh[0]},height={size_wh[1]},pixel-aspect-ratio=1/1"
    rate = f"videorate drop-only=true max-rate={max(1, round(fps))} ! " if fps else ""
    return (
        f"! identity sync={str(in_time).lower()} "
        "! queue leaky=downstream max-size-buffers=1 max-size-bytes=0 max-size-time=0 "
        f"! {rate}videoconvert ! {'videoscale ! ' if size_wh else ''}{caps} "
        f"! pnmenc ! fdsink fd={fd} sync=false"
    )
