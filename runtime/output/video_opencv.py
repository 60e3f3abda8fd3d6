"""Recordings at one constant rate, through OpenCV: where there is no PyAV."""

from __future__ import annotations

import errno
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.output.recording.clock import STILLS_S

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_RESERVE = 256 * 1024  # bytes, for the index at the end
CODECS = {".mp4": "mp4v", ".mkv": "mp4v", ".avi": "MJPG", ".mov": "mp4v"}


class OpencvWriter(Closing):
    """Writes MPEG-4 or MJPEG frames that all last equally long.

    Parameters
    ----------
    path : Path
        File name that ends in one of `CODECS`.
    size_wh : (int, int)
        Even width and height of all frames.
    fps : float or None
        Frames a second; two without.

    Raises
    ------
    OutputError
        OpenCV cannot encode that.
    """

    def __init__(self, path: Path, size_wh: tuple[int, int], fps: float | None) -> None:
        from edgeseg.devices.quiet import quiet
        from edgeseg.runtime.capture.opencv import opencv_name, quiet_opencv

        cv2 = quiet_opencv()
        self._path = path
        self.frames = self.frame_bytes = 0
        rate = fps or 1 / STILLS_S
        code = cv2.VideoWriter.fourcc(*CODECS[path.suffix.lower()])
        with quiet(), opencv_name(path) as name:
            self._writer = cv2.VideoWriter(name, code, rate, size_wh)
        if not self._writer.isOpened():
            raise OutputError(
                f"OpenCV has no encoder for {size_wh[0]}x{size_wh[1]} at {rate:g} "
                "frames a second"
            )

    def write(self, frame: NDArray[np.uint8], time_s: float) -> None:
        """Append one ``(H, W, 3)`` uint8 RGB frame; its time is of no use here."""
        import cv2

        del time_s
        # OpenCV drops what it cannot write; stopping before that leaves a whole file
        if shutil.disk_usage(self._path.parent).free < frame.nbytes + _RESERVE:
            full = _no_space()
            raise OutputError(reason_of(full)) from full
        before = self.size_bytes
        self._writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        self.frames += 1
        self.frame_bytes = max(self.frame_bytes, self.size_bytes - before)

    @property
    def size_bytes(self) -> int:
        """Bytes on the disk."""
        with suppress(OSError):
            return self._path.stat().st_size
        return 0

    def close(self, until_s: float | None = None) -> None:
        """Finish the file; how long the last frame is shown cannot be said here.

        Raises
        ------
        OutputError
            Frames are missing in it: OpenCV drops them without a word.
        """
        del until_s
        self._writer.release()
        playable = frames_in(self._path)
        if playable < self.frames:
            full = shutil.disk_usage(self._path.parent).free < _RESERVE
            raise OutputError(
                f"only {playable} of {self.frames} frames could be written: is the "
                "disk full?"
            ) from (_no_space() if full else None)


def _no_space() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


def frames_in(path: Path) -> int:
    """Return how many frames of a video OpenCV finds, 0 if it does not play."""
    from edgeseg.devices.quiet import quiet
    from edgeseg.runtime.capture.opencv import opencv_name, quiet_opencv

    cv2 = quiet_opencv()
    with quiet(), opencv_name(path) as name:
        video = cv2.VideoCapture(name)
        count = int(video.get(cv2.CAP_PROP_FRAME_COUNT)) if video.isOpened() else 0
        video.release()
    return max(count, 0)


def plays(path: Path) -> bool:
    """Return whether a video has a frame."""
    from edgeseg.devices.quiet import quiet
    from edgeseg.runtime.capture.opencv import opencv_name, quiet_opencv

    cv2 = quiet_opencv()
    with quiet(), opencv_name(path) as name:
        video = cv2.VideoCapture(name)
        found = bool(video.isOpened() and video.grab())
        video.release()
    return found
