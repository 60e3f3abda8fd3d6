"""Which conversion between RGB and YUV is meant where a video does not say."""

from __future__ import annotations

_HD_WH = 1280, 720  # the smallest that players take for HD


def is_hd(size_wh: tuple[int, int]) -> bool:
    """Return whether players that find no tag take BT.709 for this size.

    Examples
    --------
    >>> is_hd((1280, 720)), is_hd((720, 576)), is_hd((720, 1280))
    (True, False, True)
    """
    return size_wh[0] >= _HD_WH[0] or size_wh[1] >= _HD_WH[1]
