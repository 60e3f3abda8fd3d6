"""A video file, every frame of it, through OpenCV."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_files import check_file_or_folder
from edgeseg.runtime.address import ANY_FILE, AddressKind, Rest
from edgeseg.runtime.capture.edit_list import shown_seconds
from edgeseg.runtime.capture.source import AS_IT_COMES, Capture, CaptureOptions, Source
from edgeseg.runtime.capture.upright import rotated, take_over_rotation
from edgeseg.runtime.pictures.formats import picture_format

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.devices.types import Module

_log = logging.getLogger(__name__)
# containers announce a number that may be a guess; a file that is cut misses more
_WHOLE = 0.9
# a frame that cannot be decoded looks like the end: as many more are tried as the
# container announces, within these
_FEWEST_TRIES, _MOST_TRIES = 5, 2000


class VideoSource(Source):
    """Frames of a video file in order; those that cannot be decoded are left out.

    Parameters
    ----------
    text : str
        Path of the file.
    options : CaptureOptions
        Gives the rotation, which is added to the one that the file asks for.

    Raises
    ------
    InputError
        The file is missing, or OpenCV cannot decode it.
    """

    def __init__(self, text: str, options: CaptureOptions = AS_IT_COMES) -> None:
        check_file_or_folder(text)
        if not os.path.isfile(text):
            raise InputError(f"no such file, folder or source: {text}")
        if (kind := picture_format(text)) is not None:
            raise InputError(
                f"{text} is a picture ({kind}), expected a video: leave video: out"
            )
        from edgeseg.devices.quiet import quiet
        from edgeseg.runtime.capture.opencv import opencv_name, quiet_opencv

        cv2 = quiet_opencv()
        with quiet(), opencv_name(Path(text)) as name:
            self._video = cv2.VideoCapture(name)
            self._count = int(self._video.get(cv2.CAP_PROP_FRAME_COUNT))
            self._rate = float(self._video.get(cv2.CAP_PROP_FPS))
            self._rotate = (options.rotate + take_over_rotation(self._video)) % 360
            self._lost = 0  # frames before the present one
            self._index = 0
            opened = self._video.isOpened() and self._grabbed()
        if not opened:
            raise InputError(f"cannot read {text}: {_why_not(self._video)}")
        self._first = True
        shown_s = shown_seconds(Path(text))
        if shown_s is not None and self._count > 0:
            self._count = min(self._count, round(shown_s * self.fps))
        self._path, self._stem = text, Path(text).stem
        self._start_s = 0.0
        self._stopped = False
        self._failures: list[str] = []

    @property
    def count(self) -> int | None:
        """Frames that the container announces."""
        return self._count if self._count > 0 else None

    @property
    def fps(self) -> float:
        """Frames a second; 25 where the container gives none."""
        return self._rate if 0 < self._rate < 1000 else 25.0

    @property
    def failures(self) -> tuple[str, ...]:
        """One line where the file ends far before its announced end."""
        return tuple(self._failures)

    @property
    def files(self) -> tuple[Path, ...]:
        """The video."""
        return (Path(self._path),)

    def stop(self) -> None:
        """End `captures` after the frame under way."""
        self._stopped = True

    def captures(self, skip: frozenset[str] = frozenset()) -> Iterator[Capture]:
        """Give the frames; ``skip`` takes names such as ``clip_000012``."""
        import cv2
        import numpy as np

        time_s = 0.0
        while not self._stopped and (self._first or self._grabbed()):
            time_s = self._time_s(self._index, time_s)
            self._first = False
            name = f"{self._stem}_{self._index:06d}"
            if name not in skip:
                decoded, bgr = self._video.retrieve()
                if not decoded:
                    self._lost += 1
                    continue
                frame = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
                yield Capture(rotated(frame, self._rotate), name, time_s)
            self._index += 1
        if not self._stopped:
            self._judge()

    def _grabbed(self) -> bool:
        """Go on to the next frame that can be decoded; return whether there is one."""
        left = self._count - self._index - self._lost
        for failed in range(min(max(left, _FEWEST_TRIES), _MOST_TRIES)):
            if self._video.grab():
                self._lost += failed
                return True
        return False

    def _judge(self) -> None:
        """Say what is missing: a few frames are a warning, more are a failure."""
        damaged = "is damaged" if self._lost else "breaks off"
        total = max(self._count, self._index + self._lost)
        if self._index < _WHOLE * self._count:
            self._failures.append(
                f"{self._path} {damaged}: {self._index} of {total} frames could be "
                "decoded"
            )
        elif self._lost:
            _log.warning(
                "%s is damaged: %d of %d frames could not be decoded",
                *(self._path, self._lost, total),
            )

    def _time_s(self, index: int, last_s: float) -> float:
        """Return the time stamp of the frame that was grabbed, never a smaller one."""
        import cv2

        position_s = self._video.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if index == 0:
            self._start_s = position_s
            return 0.0
        time_s = position_s - self._start_s
        # some containers have no time stamps, or the same for every frame
        return time_s if time_s > last_s else last_s + 1 / self.fps

    def close(self) -> None:
        """Close the file."""
        self._video.release()


def _why_not(video: Module) -> str:
    """Return why a file gives no frame, as far as OpenCV knows."""
    import cv2

    code = int(video.get(cv2.CAP_PROP_FOURCC)) if video.isOpened() else 0
    name = code.to_bytes(4, "little", signed=True)
    if name.isalnum():
        return (
            f"its video, {name.decode()}, is damaged or none that OpenCV decodes here; "
            "another coding is made by: ffmpeg -i FILE -c:v libx264 NEW.mp4"
        )
    return "neither a picture nor a video that OpenCV decodes"


ADDRESS = AddressKind(Rest.FILE, bare=(ANY_FILE,))
PLUGIN = VideoSource
