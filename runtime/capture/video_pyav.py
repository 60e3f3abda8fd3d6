"""A video file's frames through PyAV, where OpenCV does not do."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import av
from av.video.reformatter import Colorspace

from edgeseg.devices import InputError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.capture.upright import displayed, rotated
from edgeseg.runtime.pictures.colour_matrix import is_hd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_UNTAGGED = 2  # H.273: unspecified


class PyavDecoder(Closing):
    """Frames upright and in display aspect, HD without a tag read by BT.709.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InputError
        PyAV finds no video in it.
    """

    hindrance = "no frame of its video can be decoded"

    def __init__(self, path: Path) -> None:
        try:
            self._file = av.open(str(path))
        except (av.FFmpegError, OSError, UnicodeError) as error:
            raise InputError(f"cannot read {path}: {reason_of(error)}") from error
        if not self._file.streams.video:
            self._file.close()
            raise InputError(f"cannot read {path}: there is no video in it")
        self._stream = self._file.streams.video[0]
        self._stream.thread_type = "AUTO"
        self.rate = float(self._stream.average_rate or 0)
        self.count = self._stream.frames
        codec = self._stream.codec_context
        self.size_wh = codec.width, codec.height
        self._sar = float(self._stream.sample_aspect_ratio or 1)
        self.lost = 0
        self._frames = self._decoded()
        self._frame: av.VideoFrame | None = None

    @property
    def is_untagged_hd(self) -> bool:
        """Whether OpenCV would take another matrix than players do."""
        return self._stream.codec_context.colorspace == _UNTAGGED and is_hd(
            self.size_wh
        )

    def grab(self) -> bool:
        """Go on to the next frame that can be decoded; return whether there is one."""
        self._frame = next(self._frames, None)
        return self._frame is not None

    @property
    def position_s(self) -> float:
        """Time stamp of the frame that was grabbed, in seconds."""
        frame = self._frame
        return 0.0 if frame is None or frame.time is None else float(frame.time)

    def retrieve(self) -> NDArray[np.uint8] | None:
        """Return the frame that was grabbed, ``(H, W, 3)`` uint8 RGB."""
        import numpy as np

        frame = self._frame
        if frame is None:
            return None
        untagged = frame.colorspace == _UNTAGGED and frame.format.name.startswith("yuv")
        matrix = Colorspace.ITU709 if is_hd(self.size_wh) else Colorspace.ITU601
        rgb = frame.reformat(
            format="rgb24", src_colorspace=matrix if untagged else None
        )
        turn = -round(getattr(frame, "rotation", 0)) % 360
        upright = turn if turn in (90, 180, 270) else 0
        picture = np.asarray(rgb.to_ndarray(), np.uint8)
        return rotated(displayed(picture, self._sar), upright)

    def _decoded(self) -> Iterator[av.VideoFrame]:
        with suppress(av.FFmpegError):  # what is left of a damaged container
            for packet in self._file.demux(self._stream):
                try:
                    yield from packet.decode()
                except av.FFmpegError:
                    self.lost += 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()
