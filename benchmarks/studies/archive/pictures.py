"""Pictures for archives: small ones by the hundred thousand, and a few of each kind."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np

from edgeseg.devices import InputError
from edgeseg.runtime.pictures.files import write_picture

if TYPE_CHECKING:
    from pathlib import Path

_DISTINCT = 300
_SIDES = range(40, 104, 8)
_FOLDERS = 100
_FRAMES = 200


def draw_small(folder: Path, count: int) -> None:
    """Write small pictures in sub-folders: a few hundred, and hard links to them.

    Parameters
    ----------
    folder : Path
        Gets 100 folders.
    count : int
        Pictures; a side has 40 to 96 pixels, so that caches by size have work.
    """
    rng = np.random.default_rng(0)
    drawn = []
    for index in range(min(count, _DISTINCT)):
        height, width = rng.choice(_SIDES, 2)
        frame = np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
        top, left = rng.integers(0, 20, 2)
        frame[top : top + 18, left : left + 18] = rng.integers(0, 256, 3)
        path = folder / "000" / f"{index:06d}.jpg"
        write_picture(path, frame)
        drawn.append(path)
    for index in range(_DISTINCT, count):
        path = folder / f"{index % _FOLDERS:03d}" / f"{index:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(drawn[index % _DISTINCT], path)


def gather(data: Path, shipped: Path, folder: Path) -> list[Path]:
    """Return folders and a video: real pictures, and three files that are none.

    Parameters
    ----------
    data : Path
        Has ``voc-animals/val`` and ``samples``.
    shipped : Path
        The photos that come with edgeseg.
    folder : Path
        Gets a copy of those with the three files, and the video.
    """
    val = data / "voc-animals" / "val" / "JPEGImages"
    shutil.copytree(shipped, folder / "photos")
    whole = next(iter(sorted(shipped.glob("*.jpg")))).read_bytes()
    damaged = {"none.png": b"no picture", "empty.jpg": b"", "cut.jpg": whole[:2000]}
    for name, content in damaged.items():
        (folder / "photos" / name).write_bytes(content)
    clip = folder / "clip.mp4"
    shown = folder / "shown"
    shown.mkdir()
    for number, path in enumerate(sorted(val.glob("*.jpg"))[: _FRAMES // 10]):
        (shown / f"{number:03d}.jpg").symlink_to(path)
    words = ["-framerate", "2.5", "-i", str(shown / "%03d.jpg"), "-r", "25"]
    words += ["-vf", "scale=320:240", "-pix_fmt", "yuv420p", str(clip)]
    made = subprocess.run(["ffmpeg", "-v", "error", *words], capture_output=True)
    if made.returncode:
        raise InputError(f"ffmpeg: {made.stderr.decode('utf-8', 'replace').strip()}")
    return [val, data / "samples", folder / "photos", clip]
