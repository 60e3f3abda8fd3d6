"""Recordings with true time stamps that play even after a kill, through PyAV."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.video.frame import PictureType

from edgeseg.devices import OutputError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.output.recording.clock import VideoClock
from edgeseg.runtime.output.video_colours import colours_of

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.output.recording.sound import Sound

_TICKS = 90_000  # a second, as MPEG counts time
_KEY_S = 1.0  # what a kill may cost: a fragment begins with a key frame
# an audio track that has ended must not keep video from the disk: microseconds
_OPTIONS = {"flush_packets": "1", "max_interleave_delta": "1000000"}
_HEADERS_BYTES, _PACKET_BYTES = 2048, 24  # what containers add, at most
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
    sound : Sound or None
        What is heard with it.

    Raises
    ------
    OutputError
        It cannot be written.
    """

    def __init__(
        self,
        path: Path,
        size_wh: tuple[int, int],
        fps: float | None,
        sound: Sound | None = None,
    ) -> None:
        self._clock = VideoClock(fps)
        self._key_s = -_KEY_S
        self._held: av.Packet[av.VideoStream] | None = None
        self._colours = colours_of(size_wh)
        self.frames = self.frame_bytes = 0
        self._bytes = _HEADERS_BYTES
        self._sound = sound
        try:
            self._disk = _Disk(path)
            with ExitStack() as stack:
                stack.callback(self._disk.close)
                self._open(path, size_wh, fps)
                if sound is not None and not sound.attach(self._file):
                    self._sound = None  # a file without it, from the beginning
                    self._disk.empty()
                    self._open(path, size_wh, fps)
                stack.pop_all()
        except (av.FFmpegError, OSError) as error:
            raise OutputError(reason_of(error)) from error

    def _open(self, path: Path, size_wh: tuple[int, int], fps: float | None) -> None:
        matroska = path.suffix.lower() == ".mkv"
        options = {**_OPTIONS, **(_CLUSTERS if matroska else _FRAGMENTS)}
        name = {".mkv": "matroska", ".mov": "mov"}.get(path.suffix.lower(), "mp4")
        self._file = av.open(self._disk, "w", format=name, options=options)
        self._stream = self._open_stream(size_wh, fps)

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
        self._colours.tag(stream.codec_context)
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
        picture = self._colours.encodable(frame)
        picture.pts, picture.time_base = round(stamp / base), base
        if stamp - self._key_s >= _KEY_S:
            picture.pict_type, self._key_s = PictureType.I, stamp
        try:
            self._mux(picture)
            self._copy_sound(stamp)
        except av.FFmpegError as error:
            raise OutputError(reason_of(error)) from error
        self._disk.check()
        self.frames += 1

    @property
    def size_bytes(self) -> int:
        """Bytes so far, with those that are not on the disk yet, to a percent."""
        return self._bytes

    def _copy_sound(self, until_s: float) -> None:
        if self._sound is not None:
            self._bytes += self._sound.copy_until(self._file, until_s)

    def _mux(self, picture: av.VideoFrame | None) -> None:
        """Encode a frame, or what is left; a packet waits for the next one's time."""
        for packet in self._stream.encode(picture):
            self._bytes += packet.size + _PACKET_BYTES
            self.frame_bytes = max(self.frame_bytes, packet.size)
            self._release(packet.pts)
            self._held = packet

    def _release(self, next_pts: int | None, *, end_s: float | None = None) -> None:
        packet, self._held = self._held, None
        if packet is None:
            return
        if end_s is not None and packet.time_base is not None:
            next_pts = round(Fraction(end_s) / packet.time_base)
        if next_pts is not None and packet.pts is not None:
            packet.duration = next_pts - packet.pts
        self._file.mux(packet)

    def close(self, until_s: float | None = None) -> None:
        """Finish the file.

        Parameters
        ----------
        until_s : float or None
            Capture time until which the last frame is shown; None: as long as others.

        Raises
        ------
        OutputError
            Its end cannot be written; what was written before plays.
        """
        try:
            try:
                end_s = self._clock.end(until_s)
                self._mux(None)
                self._release(None, end_s=end_s)
                self._copy_sound(end_s)
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

    def empty(self) -> None:
        self._file.seek(0)
        self._file.truncate()

    def close(self) -> None:
        self._file.close()
