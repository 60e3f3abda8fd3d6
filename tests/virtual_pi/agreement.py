"""How alike two processors label the same pictures with the same file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from emulated.environment import run
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def write_masks(
    edgeseg: Path, model: str | Path, pictures: Sequence[Path], folder: Path
) -> Path:
    """Return a folder with the class ids that a command's processor gives pictures.

    Parameters
    ----------
    edgeseg : Path
        The command, emulated or not.
    model : str or Path
        What it runs.
    pictures : sequence of Path
        Files with names of their own.
    folder : Path
        To make. ``pictures`` in it gets links to them, ``masks`` the ids as PNG.

    Raises
    ------
    RuntimeError
        The command failed.
    """
    (folder / "pictures").mkdir(parents=True)
    for picture in pictures:
        (folder / "pictures" / picture.name).symlink_to(picture)
    masks = folder / "masks"
    done = run(
        [edgeseg, "run", model, folder / "pictures", "-o", f"masks:{masks}"],
        timeout=1800,
    )
    if done.returncode:
        raise RuntimeError(f"{edgeseg} run {model}: {done.stderr.strip()}")
    return masks


def share_of_equal_labels(first: Path, second: Path) -> tuple[float, float]:
    """Return which share of pixels has the same class id in two folders of masks.

    Returns
    -------
    tuple of float
        The share over all pixels, and that of the picture with the lowest.
    """
    names = sorted(path.name for path in first.iterdir())
    if not names or names != sorted(path.name for path in second.iterdir()):
        raise RuntimeError(f"{first} and {second} hold different pictures")
    equal, pixels, least = 0, 0, 1.0
    for name in names:
        ids = [np.asarray(Image.open(folder / name)) for folder in (first, second)]
        same = int((ids[0] == ids[1]).sum())
        equal, pixels = equal + same, pixels + ids[0].size
        least = min(least, same / ids[0].size)
    return equal / pixels, least
