"""A video file, every frame of it, through OpenCV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.sources._base import Capture, Source

if TYPE_CHECKING:
    from collections.abc import Iterator


class VideoSource(Source):
    """Frames of a video file in order.

    Parameters
    ----------
    text : str
        Path of the file.

    Raises
    ------
    InputError
        The file is missing, or OpenCV cannot decode it.
    """

    def __init__(self, text: str) -> None:
        if not Path(text).is_file():
            raise InputError(f"no such file, folder or source: {text}")
        import cv2

        from edgeseg.devices._quiet import quiet

        with quiet():
            self._video = cv2.VideoCapture(text)
            self._count = int(self._video.get(cv2.CAP_PROP_FRAME_COUNT))
            self._rate = float(self._video.get(cv2.CAP_PROP_FPS))
            opened = self._video.isOpened() and self._video.grab()
        if not opened:
            raise InputError(
                f"cannot read {text}: neither a picture nor a video that OpenCV decodes"
            )
        self._first = True
        self._stem = Path(text).stem

    @property
    def count(self) -> int | None:
        """Frames that the container announces."""
        return self._count if self._count > 0 else None

    @property
    def fps(self) -> float:
        """Frames a second; 25 where the container gives none."""
        return self._rate if 0 < self._rate < 1000 else 25.0

    def captures(self, skip: frozenset[str] = frozenset()) -> Iterator[Capture]:
        """Give the frames; ``skip`` takes names such as ``clip_000012``."""
        import cv2

        index = 0
        while self._first or self._video.grab():
            self._first = False
            name = f"{self._stem}_{index:06d}"
            if name not in skip:
                decoded, bgr = self._video.retrieve()
                if not decoded:
                    break
                frame = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
                yield Capture(frame, name, index / self.fps)
            index += 1

    def close(self) -> None:
        """Close the file."""
        self._video.release()


PLUGIN = VideoSource
