"""Pictures in bands of rows, between Pillow's memory and arrays.

Pillow keeps four bytes a pixel and gives its pixels away as one more copy of them all.
In bands, a large photo is in memory once on either side, and nothing else is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

# Pixels of a band: small beside a large photo, large beside what a band costs.
_BAND_PIXELS = 1 << 16
# The orientations of EXIF (tag 274 of TIFF 6.0 and Exif 2.3) and the names of the
# turns in Pillow that bring a picture upright
_ORIENTATION = 274
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
_SIDEWAYS = frozenset({5, 6, 7, 8})  # rows of the file are columns of the picture
_BACKWARDS = frozenset({3, 4, 6, 7})  # the file's first row is the last one there


def row_bands(height: int, width: int) -> Iterator[slice]:
    """Yield slices of rows that cover a picture from top to bottom.

    Examples
    --------
    >>> list(row_bands(3000, 30_000))[:2]
    [slice(0, 2, None), slice(2, 4, None)]
    """
    step = max(1, _BAND_PIXELS // max(1, width))
    for start in range(0, height, step):
        yield slice(start, min(start + step, height))


def upright_pixels(image: PillowImage) -> NDArray[np.uint8]:
    """Return the pixels of a Pillow image, turned as its EXIF orientation says.

    Parameters
    ----------
    image : PIL.Image.Image
        Loaded, of any mode.

    Returns
    -------
    ndarray
        ``(H, W, 3)`` uint8 RGB.
    """
    import numpy as np

    width, height = image.size
    orientation = image.getexif().get(_ORIENTATION, 1)
    sideways, backwards = orientation in _SIDEWAYS, orientation in _BACKWARDS
    hw = (width, height) if sideways else (height, width)
    pixels = np.empty((*hw, 3), np.uint8)
    # rows of the file, whichever way they run in the picture
    lines = pixels.swapaxes(0, 1) if sideways else pixels
    for rows in row_bands(height, width):
        part = _rgb(_turned(_cropped(image, rows), orientation))
        target = slice(height - rows.stop, height - rows.start) if backwards else rows
        lines[target] = part.swapaxes(0, 1) if sideways else part
    return pixels


def image_of(parts: Iterable[NDArray[np.uint8]], height: int) -> PillowImage:
    """Return a Pillow image of a picture that comes in pieces from top to bottom.

    Parameters
    ----------
    parts : iterable of ndarray
        ``(h, W, 3)`` or ``(h, W, 4)`` uint8 RGB, all of the same W.
    height : int
        Of all together.
    """
    from PIL import Image

    rest = iter(parts)
    band = Image.fromarray(next(rest))
    if band.height == height:
        return band
    image, top = Image.new(band.mode, (band.width, height), None), band.height
    image.paste(band, (0, 0))
    for part in rest:
        image.paste(Image.fromarray(part), (0, top))
        top += len(part)
    return image


def _cropped(image: PillowImage, rows: slice) -> PillowImage:
    if rows == slice(0, image.height):
        return image
    return image.crop((0, rows.start, image.width, rows.stop))


def _turned(band: PillowImage, orientation: int) -> PillowImage:
    from PIL import Image

    turn = _TURNS.get(orientation)
    return band if turn is None else band.transpose(Image.Transpose[turn])


def _rgb(band: PillowImage) -> NDArray[np.uint8]:
    import numpy as np

    # Pillow clips 16-bit grey to 255 instead of scaling it
    if band.mode.startswith("I;16"):
        deep = np.asarray(band, np.int64)
        grey = (deep >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    return np.asarray(band if band.mode == "RGB" else band.convert("RGB"), np.uint8)
