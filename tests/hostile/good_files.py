"""Good files beside the hostile one: a model, a picture, a small data set."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from hostile.case import MODEL, PICTURE
from hostile.seeds import model
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

LABELS = ("background", "disc", "square", "triangle")
SIZE_WH = (48, 36)


def put_model(folder: Path) -> None:
    """Write a good model."""
    (folder / MODEL).write_bytes(model())


def put_picture(folder: Path) -> None:
    """Write a good picture."""
    (folder / PICTURE).write_bytes(encoded("PNG"))


def put_dataset(folder: Path) -> None:
    """Write ``data``: two pictures with their masks and labels."""
    for name in ("images", "masks"):
        (folder / "data" / name).mkdir(parents=True)
    for index in range(2):
        (folder / f"data/images/p{index}.png").write_bytes(encoded("PNG", seed=index))
        (folder / f"data/masks/p{index}.png").write_bytes(mask(index))
    (folder / "data/labels.txt").write_text("\n".join(LABELS) + "\n")
    (folder / "data/val.txt").write_text("p0\np1\n")


@cache
def pixels(seed: int = 0, size_wh: tuple[int, int] = SIZE_WH) -> np.ndarray:
    """Return a picture, ``(H, W, 3)`` uint8."""
    width, height = size_wh
    rng = np.random.default_rng(seed)
    ramp = np.add.outer(np.arange(height), np.arange(width)).astype(np.uint8)
    frame = np.stack([ramp, ramp * 3, 255 - ramp], -1)
    frame[height // 4 : height // 2, width // 4 : width // 2] = rng.integers(0, 255, 3)
    return frame


@cache
def encoded(form: str, seed: int = 0, **options: object) -> bytes:
    """Return a picture as the content of a file of a format that Pillow writes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels(seed)).save(buffer, form, **options)
    return buffer.getvalue()


@cache
def mask(seed: int = 0) -> bytes:
    """Return a mask as a PNG of class ids."""
    ids = np.zeros(SIZE_WH[::-1], np.uint8)
    ids[5:20, 5:30] = 1 + seed
    ids[0] = 255
    buffer = io.BytesIO()
    Image.fromarray(ids).save(buffer, "PNG")
    return buffer.getvalue()


@cache
def model_parts() -> tuple[bytes, dict[str, bytes]]:
    """Return the flatbuffer of the good model, and what its archive holds."""
    data = model()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = min(entry.header_offset for entry in archive.infolist())
        return data[:start], {name: archive.read(name) for name in archive.namelist()}


def manifest() -> dict:
    """Return the good model's manifest."""
    return json.loads(model_parts()[1]["edgeseg.json"])
