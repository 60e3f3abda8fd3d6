"""Frames to a ``gst-launch-1.0`` child process."""

from __future__ import annotations

import os
import re
import select
import time
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, OutputError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_text import hide_credentials
from edgeseg.runtime.gstreamer.child import TICK, GstChild, frame_pipe, words_of
from edgeseg.runtime.gstreamer.errors import explain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices import EdgesegError


class GstWriter(Closing):
    """A pipeline that takes frames.

    The pipeline is given without its beginning; a pipe and a conversion from RGB are
    put before it. `close` ends the stream properly (EOS), so that files are complete.

    Parameters
    ----------
    pipeline : str
        Elements as for ``gst-launch-1.0``, the first one taking raw video in any
        format that ``videoconvert`` makes.
    size_wh : (int, int)
        Width and height of all frames.
    fps : float
        Frames a second that the stream is labelled with.
    live : bool
        Stamp frames as they come, for outputs seen while they are made. Without,
        frame N has time N / `fps`.
    start_s, stall_s : float
        How long to wait for the pipeline to start and for a frame to be taken.
    name : str or None
        What messages call it; ``gst:PIPELINE`` without.

    Raises
    ------
    InputError
        The pipeline is empty or its quotation is not closed.
    OutputError
        It does not start: its syntax is wrong, or a file or device cannot be opened.
    MissingDriverError
        ``gst-launch-1.0`` or an element is not installed.
    """

    def __init__(
        self,
        pipeline: str,
        size_wh: tuple[int, int],
        fps: float,
        *,
        live: bool = False,
        start_s: float = 20.0,
        stall_s: float = 5.0,
        name: str | None = None,
    ) -> None:
        self._name = hide_credentials(name or f"gst:{pipeline}")
        self._size_wh, self._stall_s = size_wh, stall_s
        self._closed = self._broken = False
        words = [*_writing_start(size_wh, fps, live).split(), *words_of(pipeline)]
        reading, self._frames = frame_pipe()
        os.set_blocking(self._frames, False)
        try:
            self._child = GstChild(words, stdin=reading, quiet=False)
        except BaseException:
            os.close(self._frames)
            raise
        finally:
            os.close(reading)
        try:
            self._wait_for_start(time.monotonic() + start_s)
        except BaseException:
            self._broken = True
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._child.pid

    @property
    def plays(self) -> bool:
        """Whether the pipeline has everything that it needs, as far as it says."""
        return "Setting pipeline to PLAYING" in self._child.said

    def write(self, frame: NDArray[np.uint8]) -> None:
        """Hand over one frame; blocks while the pipeline is busy.

        Parameters
        ----------
        frame : ndarray
            ``(H, W, 3)`` uint8 RGB of the size announced.

        Raises
        ------
        OutputError
            The pipeline has ended, or took nothing for `stall_s` seconds; the writer
            is of no use any more.
        RejectedError
            It has ended because a server refuses the password.
        InputError
            The frame has another size.
        """
        import numpy as np

        width, height = self._size_wh
        if frame.shape != (height, width, 3) or frame.dtype != np.uint8:
            raise InputError(
                f"{self._name}: expected frames of {width}x{height} RGB uint8, got "
                f"shape {frame.shape}, {frame.dtype}"
            )
        if self._broken:
            raise OutputError(f"{self._name} has ended")
        left = np.ascontiguousarray(frame).data.cast("B")
        while left:
            left = left[self._send(left) :]

    def close(self) -> None:
        """End the stream, wait for the pipeline to finish, then make sure of it.

        Raises
        ------
        OutputError
            The pipeline failed at the end, or did not finish within `stall_s` seconds.
        """
        if self._closed:
            return
        self._closed = True
        os.close(self._frames)
        try:
            if not self._broken:
                self._finish()
        finally:
            self._child.close()

    def _finish(self) -> None:
        code = self._child.wait(self._stall_s)
        said = self._child.said
        if code is None:
            raise OutputError(f"{self._name} did not finish within {self._stall_s:g} s")
        if code or "ERROR" in said:
            raise explain(self._child.fate(), OutputError, f"{self._name} failed")

    def _send(self, data: memoryview) -> int:
        self._wait_for_room()
        try:
            return os.write(self._frames, data)
        except BrokenPipeError as error:
            raise self._failure() from error

    def _wait_for_room(self) -> None:
        end = time.monotonic() + self._stall_s
        while not self._child.wait_for(self._frames, select.POLLOUT, TICK):
            if "ERROR: from element" in self._child.said:  # it may hang afterwards
                raise self._failure()
            if time.monotonic() > end:
                self._broken = True
                raise OutputError(f"{self._name} took no frame for {self._stall_s:g} s")

    def _failure(self) -> EdgesegError:
        self._broken = True
        return explain(self._child.fate(), OutputError, f"{self._name} failed")

    def _wait_for_start(self, end: float) -> None:
        while not re.search("PREROLLING|is live|PREROLLED", self._child.said):
            if self._child.wait(TICK) is not None:
                fate = self._child.fate()
                raise explain(fate, OutputError, f"cannot start {self._name}")
            if time.monotonic() > end:
                raise OutputError(f"{self._name} did not start in time")


def _writing_start(size_wh: tuple[int, int], fps: float, live: bool) -> str:
    """Return the elements from the pipe to raw video."""
    width, height = size_wh
    rate = f"{round(fps * 1000)}/1000"
    return (
        f"fdsrc fd=0 do-timestamp={str(live).lower()} blocksize={width * height * 3} "
        # GStreamer's own rows are padded to 4 bytes, ours are not
        f"! rawvideoparse format=rgb width={width} height={height} framerate={rate} "
        f"plane-strides=<{width * 3}> ! videoconvert !"
    )
