"""A video file, every frame of it."""

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
from edgeseg.runtime.capture.upright import rotated
from edgeseg.runtime.capture.video_file import open_decoder
from edgeseg.runtime.pictures.formats import picture_format

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)
# containers announce a number that may be a guess; a file that is cut misses more
_WHOLE = 0.9


class VideoSource(Source):
    """Frames of a video file in order; those that cannot be decoded are left out.

    Parameters
    ----------
    text : str
        Path of the file.
    options : CaptureOptions
        Gives the rotation, which is added to the one that the file asks for. Pixels
        that are not square are made so.

    Raises
    ------
    InputError
        The file is missing, or it cannot be decoded.
    """

    def __init__(self, text: str, options: CaptureOptions = AS_IT_COMES) -> None:
        check_file_or_folder(text)
        if not os.path.isfile(text):
            raise InputError(f"no such file, folder or source: {text}")
        if (kind := picture_format(text)) is not None:
            raise InputError(
                f"{text} is a picture ({kind}), expected a video: leave video: out"
            )
        self._video = open_decoder(Path(text))
        self._rotate = options.rotate
        self._count, self._index = self._video.count, 0
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
        rate = self._video.rate
        return rate if 0 < rate < 1000 else 25.0

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

    @property
    def sound(self) -> Path:
        """The video, if it has any."""
        return Path(self._path)

    def captures(self, skip: frozenset[str] = frozenset()) -> Iterator[Capture]:
        """Give the frames; ``skip`` takes names such as ``clip_000012``."""
        time_s = 0.0
        while not self._stopped and (self._first or self._video.grab()):
            time_s = self._time_s(self._index, time_s)
            self._first = False
            name = f"{self._stem}_{self._index:06d}"
            if name not in skip:
                frame = self._video.retrieve()
                if frame is None:
                    continue
                yield Capture(rotated(frame, self._rotate), name, time_s)
            self._index += 1
        if not self._stopped:
            self._judge()

    def _judge(self) -> None:
        """Say what is missing: a few frames are a warning, more are a failure."""
        lost = self._video.lost
        damaged = "is damaged" if lost else "breaks off"
        total = max(self._count, self._index + lost)
        if self._index < _WHOLE * self._count:
            self._failures.append(
                f"{self._path} {damaged}: {self._index} of {total} frames could be "
                "decoded"
            )
        elif lost:
            _log.warning(
                "%s is damaged: %d of %d frames could not be decoded",
                *(self._path, lost, total),
            )

    def _time_s(self, index: int, last_s: float) -> float:
        """Return the time stamp of the frame that was grabbed, never a smaller one."""
        position_s = self._video.position_s
        if index == 0:
            self._start_s = position_s
            return 0.0
        time_s = position_s - self._start_s
        # some containers have no time stamps, or the same for every frame
        return time_s if time_s > last_s else last_s + 1 / self.fps

    def close(self) -> None:
        """Close the file."""
        self._video.close()


ADDRESS = AddressKind(Rest.FILE, bare=(ANY_FILE,))
PLUGIN = VideoSource
