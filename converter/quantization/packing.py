"""Arrays as text: little-endian, compressed, in base64."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from edgeseg.devices.types import Array


def text_of(values: Array) -> str:
    """Return an array as text; `array_of` reads it."""
    little = values.astype(values.dtype.newbyteorder("<"))
    return base64.b64encode(zlib.compress(little.tobytes(), 9)).decode()


def array_of(text: str, dtype: DTypeLike, shape: tuple[int, ...]) -> Array:
    """Return the array that `text_of` made a text of.

    Parameters
    ----------
    text : str
        The text.
    dtype : dtype or type
        Of the elements.
    shape : tuple of int
        Of the array.

    Raises
    ------
    ValueError, zlib.error
        The text holds no array of that shape and type.
    """
    import numpy as np

    wanted = int(np.prod(shape)) * np.dtype(dtype).itemsize
    unpacker = zlib.decompressobj()
    raw = unpacker.decompress(base64.b64decode(text, validate=True), wanted + 1)
    little = np.dtype(dtype).newbyteorder("<")
    return np.frombuffer(raw, little).reshape(shape).astype(dtype)


def scales_and_correction(packed: dict[str, str], rows: int) -> tuple[Array, Array]:
    """Return a convolution's scales and bias corrections, ``(rows,)`` float32 each.

    Raises
    ------
    KeyError, ValueError, zlib.error
        They are missing, damaged, or no positive scales and finite corrections.
    """
    import numpy as np

    scales, correction = (
        array_of(packed[key], np.float32, (rows,)) for key in ("scales", "correction")
    )
    if not (np.isfinite(correction).all() and (scales > 0).all()):
        raise ValueError("scales or corrections are no numbers")
    return scales, correction
