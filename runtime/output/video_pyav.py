"""Recordings with true time stamps that play even after a kill, through PyAV.

Time stamps of a recording: rising, whatever the captures' times are.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.video.frame import PictureType

from edgeseg.devices import OutputError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.output.video_opencv import STILLS_S

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


_TICKS = 90_000  # a second, as MPEG counts time
_KEY_S = 1.0  # what a kill may cost: a fragment begins with a key frame
_FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
_CLUSTERS = {"cluster_time_limit": "1000"}  # milliseconds
# libx264: fast enough beside an inference, and no frame is held back in the encoder
_X264 = {"preset": "veryfast", "tune": "zerolatency", "crf": "21"}
_MPEG4 = {"qscale": "4"}


class PyavWriter(Closing):
    """Writes H.264 (MPEG-4 part 2 where PyAV has no H.264 encoder).

    Every second begins a fragment that is on the disk, whole, when the next begins.

    Parameters
    ----------
    path : Path
        File name that ends in ``.mp4``, ``.mov`` or ``.mkv``.
    size_wh : (int, int)
        Even width and height of all frames.
    fps : float or None
        Frames a second where the source has such a rate.

    Raises
    ------
    OutputError
        It cannot be written.
    """

    def __init__(self, path: Path, size_wh: tuple[int, int], fps: float | None) -> None:
        self._clock = VideoClock(fps)
        self._key_s = -_KEY_S
        self._held: av.Packet[av.VideoStream] | None = None
        self.frames = 0
        matroska = path.suffix.lower() == ".mkv"
        options = {"flush_packets": "1", **(_CLUSTERS if matroska else _FRAGMENTS)}
        try:
            self._disk = _Disk(path)
            name = {".mkv": "matroska", ".mov": "mov"}.get(path.suffix.lower(), "mp4")
            self._file = av.open(self._disk, "w", format=name, options=options)
            self._stream = self._open_stream(size_wh, fps)
        except (av.FFmpegError, OSError) as error:
            raise OutputError(reason_of(error)) from error

    def _open_stream(
        self, size_wh: tuple[int, int], fps: float | None
    ) -> av.VideoStream:
        h264 = "libx264" in av.codecs_available
        # a label, which chooses H.264's level; Matroska stores it, MP4 does not
        rate = Fraction(fps or 30).limit_denominator(1001)
        stream = self._file.add_stream("libx264" if h264 else "mpeg4", rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size_wh
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, _TICKS if h264 else 1000)  # mpeg4: 16 bits
        stream.codec_context.time_base = stream.time_base
        stream.codec_context.thread_count = 2
        stream.options = {**_X264} if h264 else {**_MPEG4}
        return stream

    def write(self, frame: NDArray[np.uint8], time_s: float) -> None:
        """Append one frame.

        Parameters
        ----------
        frame : ndarray
            ``(H, W, 3)`` uint8 RGB.
        time_s : float
            Its capture time in seconds.

        Raises
        ------
        OutputError
            It cannot be written; what was written before plays.
        """
        stamp = self._clock.stamp(time_s)
        base = self._stream.time_base or Fraction(1, _TICKS)
        picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
        picture.pts, picture.time_base = round(stamp / base), base
        if stamp - self._key_s >= _KEY_S:
            picture.pict_type, self._key_s = PictureType.I, stamp
        try:
            self._mux(picture)
        except av.FFmpegError as error:
            raise OutputError(reason_of(error)) from error
        self._disk.check()
        self.frames += 1

    def _mux(self, picture: av.VideoFrame | None) -> None:
        """Encode a frame, or what is left; a packet waits for the next one's time."""
        for packet in self._stream.encode(picture):
            self._release(packet.pts)
            self._held = packet

    def _release(self, next_pts: int | None) -> None:
        packet, self._held = self._held, None
        if packet is None:
            return
        if next_pts is not None and packet.pts is not None:
            packet.duration = next_pts - packet.pts
        elif packet.time_base is not None:
            packet.duration = round(Fraction(self._clock.frame_s) / packet.time_base)
        self._file.mux(packet)

    def close(self) -> None:
        """Finish the file.

        Raises
        ------
        OutputError
            Its end cannot be written; what was written before plays.
        """
        try:
            try:
                self._mux(None)
                self._release(None)
            finally:
                self._file.close()
                self._disk.close()
        except av.FFmpegError as error:
            raise OutputError(reason_of(error)) from error
        self._disk.check()


class _Disk(Closing):
    """The file that FFmpeg writes to, and what went wrong with it.

    Some of FFmpeg's formats keep a full disk to themselves until the end. After the
    first failure nothing is written any more, so that what there is stays playable.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._file = path.open("wb", buffering=0)
        self._error: OSError | None = None
        self._raised = False

    def check(self) -> None:
        """Raise `OutputError`, once, if something could not be written."""
        error, raised = self._error, self._raised
        self._raised = error is not None
        if error is not None and not raised:
            raise OutputError(reason_of(error)) from error

    def write(self, data: bytes) -> int:
        left = memoryview(data)
        try:
            while left and self._error is None:
                left = left[self._file.write(left) :]
        except OSError as error:
            self._error = error
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()


class VideoClock:
    """Turns capture times into time stamps that always rise, the first being 0.

    Parameters
    ----------
    fps : float or None
        Frames a second where the source has such a rate: how long a frame lasts where
        no other follows.
    """

    def __init__(self, fps: float | None) -> None:
        self._step_s = 1 / fps if fps else None
        self._start_s = 0.0
        self._last_s: float | None = None
        self.frame_s = self._step_s or STILLS_S

    def stamp(self, time_s: float) -> float:
        """Return a frame's time stamp in seconds.

        A frame that is not later than the one before, as a folder's pictures, comes
        one frame's duration after it.

        Examples
        --------
        >>> clock = VideoClock(None)
        >>> [clock.stamp(time_s) for time_s in (3.0, 3.25, 3.25)]
        [0.0, 0.25, 0.5]
        """
        if self._last_s is None:
            self._start_s, self._last_s = time_s, 0.0
            return 0.0
        stamp = time_s - self._start_s
        if stamp > self._last_s:
            self.frame_s = self._step_s or stamp - self._last_s
        else:
            stamp = self._last_s + self.frame_s
            self._start_s = time_s - stamp  # later frames go on from here
        self._last_s = stamp
        return stamp
