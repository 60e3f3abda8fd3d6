"""From a folder to a data set, by its layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from edgeseg.devices import InputError, PluginFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgeseg.runtime.accuracy.dataset import Dataset

DATASETS = PluginFolder("data set layout", "edgeseg.runtime.datasets")


def open_dataset(root: Path, split: str, *, labels: str | None = None) -> Dataset:
    """Open the data set in a folder.

    Parameters
    ----------
    root : Path
        A folder in a layout of `edgeseg.runtime.datasets`, such as PASCAL VOC's,
        COCO's, or plain ``images/``, ``masks/`` and ``labels.txt``.
    split : str
        Name of a list of pictures, such as ``val``.
    labels : str or None
        What the masks' ids are, see `load_labels`; None takes ``labels.txt`` of the
        folder, else the layout's own.

    Raises
    ------
    InputError
        The folder has no known layout, no such split, or pictures without masks.
    """
    dataset = find_layout(root)(root, split, labels)
    _check_complete(root, dataset)
    return dataset


def find_layout(root: Path) -> type[Dataset]:
    """Return the layout that a folder has, or raise `InputError`."""
    layouts = [cast("type[Dataset]", DATASETS.load(n)) for n in DATASETS.names()]
    for layout in layouts:
        if layout.recognizes(root):
            return layout
    raise InputError(
        f"no data set in {root}: expected one of these layouts: "
        + "; ".join(layout.LAYOUT for layout in layouts)
    )


def _check_complete(root: Path, dataset: Dataset) -> None:
    """Raise before anything is computed where a picture or its mask is missing."""
    places: tuple[tuple[str, Callable[[str], Path]], ...] = (
        ("a picture file", dataset.picture_path),
        ("truth", dataset.truth_path),
    )
    for what, place in places:
        missing = [name for name in dataset.ids if not place(name).is_file()]
        if missing:
            raise InputError(
                f"{len(missing)} of {len(dataset.ids)} pictures in {root} are without "
                f"{what}: {', '.join(missing[:4])}{', ...' * (len(missing) > 4)} "
                f"(expected {place(missing[0])})"
            )
