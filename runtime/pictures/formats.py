"""What a picture file is, by its first bytes, and what else than JPEG and PNG is read.

Names say little: phones call HEIC files ``.jpg``, and files lose their suffix. Pillow
reads AVIF, GIF and JPEG 2000 where it was built for that, and HEIC with the package
pillow-heif, which the extra ``heif`` installs.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections import Counter
from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HEIC, AVIF = "HEIC", "AVIF"
_HEAD = 32  # bytes
_STARTS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
}
# brands of ISO/IEC 23008-12 that mean a still picture; those of sequences are videos
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"mif1"), HEIC),
    b"avif": AVIF,
}
# suffix: what has to be there so that it is read; None: nothing of this package does
_FURTHER: dict[str, str | None] = {
    ".avif": "avif",
    ".gif": "",
    ".heic": "heif",
    ".heif": "heif",
    ".hif": "heif",
    ".j2k": "jpg_2000",
    ".jp2": "jpg_2000",
    **dict.fromkeys((".jxl", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf")),
}
FURTHER_SUFFIXES = frozenset(_FURTHER)


def picture_format(path: str | Path) -> str | None:
    """Return the format of a still picture by its first bytes.

    Parameters
    ----------
    path : str or Path
        Any file.

    Returns
    -------
    str or None
        ``"JPEG"``, ``"PNG"``, ``"TIFF"``, ``"WebP"``, ``"JPEG 2000"``, `HEIC` or
        `AVIF`; None for anything else, GIF among them, which may be a clip.
    """
    try:
        if not os.path.isfile(path):  # a pipe would be waited for
            return None
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except (OSError, ValueError):
        return None
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12])
    return next(
        (kind for start, kind in _STARTS.items() if head.startswith(start)), None
    )


def check_decoder(path: Path) -> None:
    """Load what it takes to read a picture, or raise `InputError` that names it."""
    kind = picture_format(path)
    if kind == HEIC and not _load_heif():
        raise InputError(
            f"{path} is a HEIC picture, which needs the package pillow-heif: pip "
            "install 'edgeseg[heif]'; or convert it to JPEG"
        )
    if kind == HEIC and _is_cut(path):  # the decoder leaves out what is missing
        raise InputError(f"cannot read picture {path}: the file is truncated")
    if kind == AVIF and not _pillow_has("avif"):
        raise InputError(
            f"{path} is an AVIF picture, which this Pillow was not built to read: pip "
            "install -U pillow; or convert it to JPEG"
        )


def _is_cut(path: Path) -> bool:
    """Return whether a file ends before its last box of ISO/IEC 14496-12 does."""
    with path.open("rb") as file:
        at, end = 0, file.seek(0, os.SEEK_END)
        while at < end:
            file.seek(at)
            head = file.read(16)
            size = int.from_bytes(head[:4], "big")
            if size == 0:  # to the end of the file
                return False
            if size == 1:
                size = int.from_bytes(head[8:], "big")
            if size < 8:
                return True
            at += size
    return at > end


def further_suffixes() -> frozenset[str]:
    """Return the suffixes beside the usual ones that are read here."""
    return frozenset(suffix for suffix in _FURTHER if _is_read(suffix))


def left_out(paths: Iterable[Path]) -> str:
    """Return what pictures among files are not read here, counted; empty for none.

    Examples
    --------
    >>> from pathlib import PurePath
    >>> left_out(map(PurePath, ["a.cr2", "b.CR2", "c.jxl", "d.txt", "e.jpg"]))
    '2 .cr2, 1 .jxl'
    """
    suffixes = (path.suffix.lower() for path in paths)
    found = Counter(s for s in suffixes if s in _FURTHER and not _is_read(s))
    return ", ".join(f"{count} {suffix}" for suffix, count in found.most_common())


def advice_for(counted: str) -> str:
    """Return what to do about pictures that `left_out` counted."""
    if any(suffix in counted for suffix in (".heic", ".heif", ".hif")):
        return "pip install 'edgeseg[heif]' for HEIC, or convert them to JPEG"
    return "convert them to JPEG or PNG"


def _is_read(suffix: str) -> bool:
    needed = _FURTHER[suffix]
    if needed == "heif":
        return importlib.util.find_spec("pillow_heif") is not None
    return needed is not None and (not needed or _pillow_has(needed))


def _pillow_has(feature: str) -> bool:
    from PIL import features

    # a release that does not know the name warns and says no
    known = {**features.modules, **features.codecs}
    return feature in known and bool(features.check(feature))


def _load_heif() -> bool:
    try:
        plugin = importlib.import_module("pillow_heif")
    except ImportError:
        return False
    plugin.register_heif_opener()  # may be called again
    return True
