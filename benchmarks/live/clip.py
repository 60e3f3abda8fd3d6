"""A 640x480 clip to run on: a view that moves over photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError, OutputError
from edgeseg.runtime.opencv import quiet_opencv
from edgeseg.runtime.pictures import read_picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

SIZE_WH = (640, 480)
FPS = 30
# how much larger than the view a photo is, so that there is something to move over
_MARGIN = 1.25


def write_clip(path: Path, photos: Sequence[Path], frames: int) -> None:
    """Write a clip of MPEG-4 frames, each photo shown for the same time.

    Parameters
    ----------
    path : Path
        The video file.
    photos : sequence of Path
        At least one.
    frames : int
        Frames in all.

    Raises
    ------
    InputError
        There are no photos.
    OutputError
        OpenCV cannot write the file.
    """
    cv2 = quiet_opencv()
    if not photos:
        raise InputError("expected photos to make a clip of, got none")
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, SIZE_WH)
    if not writer.isOpened():
        raise OutputError(f"cannot write {path}: OpenCV has no MPEG-4 encoder")
    each = -(-frames // len(photos))
    written = 0
    for photo in photos:
        for view in _views(read_picture(photo), min(each, frames - written)):
            writer.write(cv2.cvtColor(view, cv2.COLOR_RGB2BGR))
            written += 1
    writer.release()


def _views(photo: NDArray[np.uint8], count: int) -> Iterator[NDArray[np.uint8]]:
    """Move a view from one corner of a photo to the opposite one."""
    import cv2
    import numpy as np

    width, height = SIZE_WH
    scale = _MARGIN * max(width / photo.shape[1], height / photo.shape[0])
    size = round(photo.shape[1] * scale), round(photo.shape[0] * scale)
    large = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    for step in range(count):
        share = step / max(1, count - 1)
        left = round((size[0] - width) * share)
        top = round((size[1] - height) * share)
        yield large[top : top + height, left : left + width]
