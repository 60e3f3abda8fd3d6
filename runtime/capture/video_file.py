"""Which decoder a video file gets.

OpenCV is always there and decodes most. Where PyAV is installed it takes what OpenCV
cannot decode, such as AV1, and HD video that does not say how its colours are coded:
players take BT.709 for that, OpenCV BT.601.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edgeseg.devices import InputError
from edgeseg.runtime.capture.video_opencv import OpencvDecoder

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.capture.video_pyav import PyavDecoder

_HD_SIDE = 720  # the shorter side of what may be HD: worth a second look


class Decoder(Protocol):
    """Frames of a video file, one after the other."""

    count: int
    """Frames that the container announces; 0 or less where it does not."""
    rate: float
    """Frames a second; 0 where the container has none."""
    lost: int
    """Frames so far that could not be decoded."""

    def grab(self) -> bool:
        """Go on to the next frame; return whether there is one."""

    @property
    def position_s(self) -> float:
        """Time stamp of the frame that was grabbed, in seconds."""

    def retrieve(self) -> NDArray[np.uint8] | None:
        """Return the frame that was grabbed, upright RGB; None where that fails."""

    def close(self) -> None:
        """Close the file."""


def open_decoder(path: Path) -> Decoder:
    """Open a video at its first frame.

    Raises
    ------
    InputError
        Nothing decodes it; the message says what would.
    """
    from edgeseg.devices.quiet import quiet

    with quiet():
        usual = OpencvDecoder(path)
        has_frame = usual.grab()
        if has_frame and max(usual.size_wh) < _HD_SIDE:
            return usual
        other = _pyav(path)
        wanted = other is not None and (not has_frame or other.is_untagged_hd)
        if other is not None and wanted and other.grab():
            usual.close()
            return other
        if other is not None:
            other.close()
    if has_frame:
        return usual
    reason = usual.hindrance
    usual.close()
    raise InputError(f"cannot read {path}: {reason}")


def _pyav(path: Path) -> PyavDecoder | None:
    try:
        from edgeseg.runtime.capture.video_pyav import PyavDecoder
    except ImportError as error:
        if error.name != "av":
            raise  # our own bug, not a missing package
        return None
    try:
        return PyavDecoder(path)
    except InputError:  # OpenCV has the better words for what is no video
        return None
