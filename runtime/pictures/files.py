"""Still pictures in and out, through Pillow: whole or an error, RGB, upright."""

from __future__ import annotations

import io
import logging
import sys
import warnings
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_files import check_file_or_folder
from edgeseg.devices.plain_text import reason_of
from edgeseg.devices.quiet import quiet
from edgeseg.runtime.pictures.atomic import replacing
from edgeseg.runtime.pictures.formats import check_decoder, further_suffixes
from edgeseg.runtime.pictures.row_bands import image_of, upright_pixels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

    from edgeseg.devices.types import Untyped

# What Pillow raises on damaged files, format by format
_UNREADABLE = (
    OSError,
    RuntimeError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    MemoryError,
)
_TIFF_STARTS = (b"II", b"MM")
_OURS = ("Warning: ", "Error: ")  # how messages of the command line begin
_EXIF_ORIENTATION, _SIDEWAYS = 0x0112, 5
# formats whose further pictures, if any, follow the first in time or as pages
_ANIMATED = frozenset({"PNG", "WEBP", "AVIF"})
_COUNTED_IN_FILE = frozenset({"TIFF", "GIF"})
_log = logging.getLogger(__name__)
# what is read and written everywhere
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


def readable_suffixes() -> frozenset[str]:
    """Return the suffixes of all pictures that are read on this machine."""
    return SUFFIXES | further_suffixes()


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Return a photo as it should be seen: EXIF orientation applied.

    Parameters
    ----------
    path : Path
        JPEG, PNG, BMP, WebP or TIFF, and what `further_suffixes` names. Of an
        animation or a file with pages the first one is read, and the log says so.

    Returns
    -------
    ndarray
        ``(H, W, 3)`` uint8 RGB; transparency is dropped.

    Raises
    ------
    InputError
        Missing, truncated, too large (over 179 megapixels) or no picture at all.
    """
    image = _open(path)
    count = _pictures_in(path, image)
    if count > 1:
        what = "pages" if image.format == "TIFF" else "frames"
        _log.warning("%s has %d %s: the first one is used", path, count, what)
    try:
        with _without_warnings():
            return upright_pixels(image)
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def decode_picture(content: bytes, where: str) -> NDArray[np.uint8]:
    """Return a photo that is in memory; see `read_picture`.

    Parameters
    ----------
    content : bytes
        Of a JPEG, PNG, BMP, WebP or TIFF file.
    where : str
        What it is, for messages.
    """
    from PIL import Image

    try:
        with _without_warnings():
            image = Image.open(io.BytesIO(content))
            return upright_pixels(image)
    except (*_UNREADABLE, Image.DecompressionBombError) as error:
        raise InputError(f"cannot read picture {where}: {reason_of(error)}") from error


def size_hw(path: Path) -> tuple[int, int]:
    """Return a photo's height and width as it should be seen, from its header.

    Raises
    ------
    InputError
        It is no picture.
    """
    from PIL import Image

    check_file_or_folder(path)
    check_decoder(path)
    try:
        with _without_warnings(), Image.open(path) as image:
            width, height = image.size
            turned = image.getexif().get(_EXIF_ORIENTATION, 1) >= _SIDEWAYS
    except (*_UNREADABLE, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from error
    return (width, height) if turned else (height, width)


def read_ids(path: Path) -> NDArray[np.uint8]:
    """Return the values of a mask picture: a palette's indices or grey levels.

    Parameters
    ----------
    path : Path
        A palette or 8-bit grey PNG.

    Returns
    -------
    ndarray
        ``(H, W)`` uint8.

    Raises
    ------
    InputError
        Unreadable, or stored in colour.
    """
    import numpy as np

    image = _open(path)
    if image.mode not in ("P", "L"):
        raise InputError(
            f"{path}: expected a mask of class ids (palette or 8-bit grey PNG), got "
            f"a picture of mode {image.mode}"
        )
    return np.array(image, np.uint8)


def write_picture(path: Path, frame: NDArray[np.uint8]) -> None:
    """Write ``(H, W, 3)`` uint8 RGB; the suffix of `path` chooses the format."""
    write_bands(path, [frame], frame.shape[0])


def write_bands(path: Path, parts: Iterable[NDArray[np.uint8]], height: int) -> None:
    """Write a picture that comes in pieces, so that it is never whole in an array.

    Parameters
    ----------
    path : Path
        Its suffix chooses the format.
    parts : iterable of ndarray
        ``(h, W, 3)`` uint8 RGB or ``(h, W, 4)`` with alpha, from top to bottom.
    height : int
        Of all together.
    """
    with writing_bands(path, parts, height):
        pass


@contextmanager
def writing_bands(
    path: Path, parts: Iterable[NDArray[np.uint8]], height: int
) -> Iterator[None]:
    """Write a picture as `write_bands` does; it gets its name when the block ends.

    After an exception in the block it gets none.
    """
    with replacing(path) as temporary:
        _save(image_of(parts, height), temporary, path)
        yield


def write_ids(path: Path, ids: NDArray[np.uint8], table: NDArray[np.uint8]) -> None:
    """Write class ids ``(H, W)`` uint8 as a palette PNG.

    Parameters
    ----------
    path : Path
        Ends in ``.png``.
    ids : ndarray
        ``(H, W)`` uint8.
    table : ndarray
        ``(256, 3)`` uint8 RGB, a colour for every id; see `colour_table`.
    """
    from PIL import Image

    image = Image.fromarray(ids)
    # a shorter palette would make Pillow store ids in fewer bits than they need
    image.putpalette(table.reshape(768).tobytes())
    with replacing(path) as temporary:
        _save(image, temporary, path)


def _save(image: PillowImage, temporary: Path, path: Path) -> None:
    is_jpeg = path.suffix.lower() in (".jpg", ".jpeg")
    settings: dict[str, Untyped] = {"quality": 95} if is_jpeg else {}
    try:
        image.save(temporary, compress_level=1, **settings)
    except (ValueError, KeyError) as error:
        raise InputError(
            f"cannot write {path}: expected a name that ends in "
            f"{', '.join(sorted(SUFFIXES))}"
        ) from error


def _open(path: Path) -> PillowImage:
    from PIL import Image

    check_file_or_folder(path)
    check_decoder(path)
    try:
        with _without_warnings(), path.open("rb") as file:
            is_tiff = file.read(2) in _TIFF_STARTS
            file.seek(0)
            with _quiet_libtiff() if is_tiff else nullcontext():
                image = Image.open(file)
                image.load()
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error
    except Image.DecompressionBombError as error:
        raise _unreadable(path, error) from error
    return image


def _pictures_in(path: Path, image: PillowImage) -> int:
    """Return how many pictures a file holds that are not parts of one, as a preview."""
    from PIL import Image

    if image.format in _ANIMATED:
        return int(getattr(image, "n_frames", 1))
    if image.format not in _COUNTED_IN_FILE:
        return 1
    try:
        with _without_warnings(), _quiet_libtiff(), Image.open(path) as counted:
            return int(getattr(counted, "n_frames", 1))
    except _UNREADABLE:  # what follows the first is damaged
        return 1


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep Pillow's warnings from the user: a picture is read, or it is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _quiet_libtiff() -> Iterator[None]:
    """Keep libtiff's words off standard error, which it writes to by itself."""
    with quiet() as chatter:
        yield
    for line in chatter.text.splitlines():
        if line.startswith(_OURS):  # of another thread, meanwhile
            sys.stderr.write(f"{line}\n")


def _unreadable(path: Path, error: Exception) -> InputError:
    from PIL import UnidentifiedImageError

    reason = reason_of(error)
    if isinstance(error, UnidentifiedImageError):  # it names a Python object
        reason = "its content is no picture of a known format"
    return InputError(f"cannot read picture {path}: {reason}")
