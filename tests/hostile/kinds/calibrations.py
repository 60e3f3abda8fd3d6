"""Folders of calibration pictures, with pictures that are none or are masks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hostile.case import Case, Kind
from hostile.damage import damage
from hostile.good_files import encoded, mask

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_COUNT = 34


def _make(folder: Path, rng: Random, number: int) -> Case:
    photos = folder / "photos"
    photos.mkdir()
    bad = rng.choice((1, 2, 20, _COUNT))
    for index in range(_COUNT):
        form, suffix = rng.choice((("PNG", "png"), ("JPEG", "jpg"), ("BMP", "bmp")))
        path = photos / f"p{index}.{suffix}"
        good = encoded(form, seed=index)
        path.write_bytes(good if index >= bad else _bad(good, rng))
    if rng.random() < 0.1:
        os.mkfifo(photos / "pipe.png")
    if rng.random() < 0.1:
        (photos / "link.png").symlink_to("/dev/zero")
    return Case(("@calibration", "photos"))


def _bad(good: bytes, rng: Random) -> bytes:
    return rng.choice((damage(good, rng), mask(0), b"", good[: len(good) // 2]))


KIND = Kind(_make, short=8)
