"""The development split: pictures of the training list, held out to choose by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.accuracy.lists import read_list
from edgeseg.runtime.pictures.atomic import write_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgeseg.converter.shipped.recipes.recipe import Sources

_ONE_IN = 6  # of the pictures with VOC's own masks


def cut(sources: Sources, progress: Callable[[str], None]) -> None:
    """Cut the development split, by which the epoch is chosen, from training's list."""
    fine = read_list(pictures(sources) / "train_voc_border.txt")
    names = fine[_ONE_IN // 2 :: _ONE_IN]
    write_text(held(sources), "\n".join(names) + "\n")
    progress(f"{len(names)} of {len(fine)} pictures with VOC's own masks held out")


def pictures(sources: Sources) -> Path:
    """Return the folder of the pictures to train on, at VOC's own size."""
    return sources.voc / "train-500"


def held(sources: Sources) -> Path:
    """Return the path of the split's list."""
    return sources.output / "development.txt"
