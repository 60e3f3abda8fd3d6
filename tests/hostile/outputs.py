"""Whether a file that a command wrote is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
_VIDEOS = (".mp4", ".mkv", ".avi", ".mov", ".webm")


def fault_of(path: Path) -> str | None:
    """Return what is wrong with an output file, None where it is whole."""
    check = _check_for(path)
    try:
        if path.stat().st_size == 0:
            return "is empty"
        if check is not None:
            check(path)
    except Exception as error:
        return f"is not whole: {type(error).__name__}: {error}"[:300]
    return None


def _check_for(path: Path) -> Callable[[Path], None] | None:
    suffix = path.suffix.lower()
    if suffix in _PICTURES:
        return _picture
    if suffix in _VIDEOS:
        return _video
    return {
        ".jsonl": _lines,
        ".journal": _lines,
        ".json": _json,
        ".html": _page,
        ".txt": _text,
    }.get(suffix)


def _picture(path: Path) -> None:
    with Image.open(path) as picture:
        picture.load()


def _lines(path: Path) -> None:
    text = path.read_text("utf-8")
    if not text.endswith("\n"):
        raise ValueError("its last line has no end")
    for line in text.splitlines():
        json.loads(line)


def _json(path: Path) -> None:
    json.loads(path.read_text("utf-8"))


def _page(path: Path) -> None:
    if not path.read_text("utf-8").rstrip().endswith("</html>"):
        raise ValueError("the page has no end")


def _text(path: Path) -> None:
    path.read_text("utf-8")


def _video(path: Path) -> None:
    import cv2

    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.read()[0]:
            raise ValueError("no frame can be read")
    finally:
        capture.release()
