"""From a folder to a data set, by its layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError, PluginFolder

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.runtime.datasets._base import Dataset

DATASETS = PluginFolder("data set layout", "edgeseg.runtime.datasets")


def open_dataset(root: Path, split: str) -> Dataset:
    """Open the data set in a folder.

    Parameters
    ----------
    root : Path
        A folder in a known layout: PASCAL VOC's.
    split : str
        Name of a list of pictures, such as ``val``.

    Raises
    ------
    InputError
        The folder has no known layout, or no such split.
    """
    if not (root / "JPEGImages").is_dir() or not (root / "SegmentationClass").is_dir():
        raise InputError(
            f"no data set in {root}: expected the folders JPEGImages and "
            "SegmentationClass (PASCAL VOC's layout)"
        )
    dataset: Dataset = DATASETS.load("voc")(root, split)
    return dataset
