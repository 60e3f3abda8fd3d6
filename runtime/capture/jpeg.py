"""Where a JPEG ends and how large its picture is, read from its markers.

References
----------
ITU-T Recommendation T.81, Annex B: markers and segments.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

START = b"\xff\xd8"
_END = 0xD9
_SCAN = 0xDA
_ALONE = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})  # markers without a segment
# Start-of-frame markers; 0xC4, 0xC8 and 0xCC are tables and a reserved one
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# What Pillow raises on a damaged JPEG, its EXIF block included
_DAMAGED = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, OverflowError,
    struct.error, MemoryError,
)  # fmt: skip
_LIMIT = 8192  # pixels a side that are decoded


def walk(data: bytes | bytearray, at: int = len(START)) -> tuple[int, bool]:
    """Step over a JPEG's markers; previews inside, with an end of their own, too.

    Parameters
    ----------
    data : bytes
        Begins with a JPEG.
    at : int
        Where an earlier walk, over fewer bytes, came to a halt.

    Returns
    -------
    int, bool
        Where the walk came to a halt, and whether that is after the JPEG's end.

    Examples
    --------
    >>> walk(bytes.fromhex("ffd8 ffe00004aaaa ffda0002 1122 ff00 33 ffd9 00"))
    (19, True)
    >>> walk(bytes.fromhex("ffd8 ffe00004"))
    (8, False)
    """
    while (found := data.find(b"\xff", at)) >= 0 and found + 4 <= len(data):
        marker = data[found + 1]
        if marker == 0xFF:  # fill byte
            at = found + 1
        elif marker in _ALONE:
            at = found + 2
        else:
            at = found + 2 + int.from_bytes(data[found + 2 : found + 4], "big")
        if marker == _END:
            return found + 2, True
    if found >= 0 and data[found : found + 2] == b"\xff\xd9":
        return found + 2, True
    return (found if found >= 0 else max(at, len(data))), False


def size_of(data: bytes | bytearray) -> tuple[int, int] | None:
    """Return width and height of a JPEG's picture; None where it has none."""
    at = len(START)
    while data[at : at + 1] == b"\xff" and at + 9 <= len(data):
        marker = data[at + 1]
        if marker in _FRAMES:
            height = int.from_bytes(data[at + 5 : at + 7], "big")
            return int.from_bytes(data[at + 7 : at + 9], "big"), height
        if marker == _SCAN:
            return None
        at += 1 if marker == 0xFF else 2
        if marker not in _ALONE and marker != 0xFF:
            at += int.from_bytes(data[at : at + 2], "big")
    return None


def decode(data: bytes | bytearray) -> NDArray[np.uint8] | None:
    """Return a JPEG's picture, ``(H, W, 3)`` uint8 RGB; None where it is damaged.

    A cut-off one counts as damaged, and so does one of more than 8192 pixels a side,
    which a few bytes can announce.
    """
    size = size_of(data)
    if size is None or not all(0 < side <= _LIMIT for side in size):
        return None
    if not walk(data)[1]:
        return None
    import numpy as np
    from PIL import Image, ImageOps

    # OpenCV's decoder prints a line for each damage, and this is not the only thread
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "MPO")) as stored:
            upright = ImageOps.exif_transpose(stored)
            return np.asarray(upright.convert("RGB"))
    except (*_DAMAGED, Image.DecompressionBombError):
        return None
