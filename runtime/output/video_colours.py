"""How colours of a recording are coded, and the tag that says so.

Players that find no tag take BT.709 for HD and BT.601 for what is smaller. A recording
is coded, and tagged, in the same way, so that it looks right in players that read the
tag, and in those that do not.

References
----------
ITU-T H.273, "Coding-independent code points": tables 2 to 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
from av.video.reformatter import ColorRange, Colorspace

from edgeseg.runtime.pictures.colour_matrix import is_hd

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LIMITED = 1  # FFmpeg's AVCOL_RANGE_MPEG: 16..235


@dataclass(frozen=True)
class Colours:
    """One way to code colours.

    Parameters
    ----------
    matrix, transfer, primaries : int
        Code points of H.273.
    conversion : Colorspace
        The same for FFmpeg's conversion from RGB.
    """

    matrix: int
    transfer: int
    primaries: int
    conversion: Colorspace

    def tag(self, codec: av.VideoCodecContext) -> None:
        """Tell an encoder, which writes it into the stream."""
        codec.colorspace = self.matrix
        codec.color_trc = self.transfer
        codec.color_primaries = self.primaries
        codec.color_range = _LIMITED

    def encodable(self, frame: NDArray[np.uint8]) -> av.VideoFrame:
        """Return an ``(H, W, 3)`` uint8 RGB frame as 4:2:0."""
        picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
        return picture.reformat(
            format="yuv420p",
            dst_colorspace=self.conversion,
            dst_color_range=ColorRange.MPEG,
        )


_BT709 = Colours(1, 1, 1, Colorspace.ITU709)
_BT601 = Colours(6, 6, 6, Colorspace.ITU601)


def colours_of(size_wh: tuple[int, int]) -> Colours:
    """Return how a video of a size is coded."""
    return _BT709 if is_hd(size_wh) else _BT601
