"""The contract of a data set's layout as a function that any author of one can call."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.dataset import picture_with_truth
from edgeseg.runtime.model.labels import VOID

if TYPE_CHECKING:
    from edgeseg.runtime.accuracy.dataset import Dataset

_OTHER_LABELS = 200  # more than any layout of masks in bytes has of its own


def check_dataset(layout: type[Dataset], root: Path, split: str) -> None:
    """Raise unless a layout keeps the contract of `Dataset`.

    Parameters
    ----------
    layout : type of Dataset
        What the plugin's file calls ``PLUGIN``.
    root : Path
        A small folder in this layout; every picture and mask in it is read.
    split : str
        A split that the folder has.

    Raises
    ------
    AssertionError
        The contract is broken; the message says where.
    """
    listed = _listing(root)
    _check(bool(layout.LAYOUT), "LAYOUT says what the layout looks like")
    _check(layout.recognizes(root) is True, "recognizes its own folder")
    splits = layout.splits(root)
    _check(bool(splits) and sorted(splits) == list(splits), "splits are there, sorted")
    for name in splits:
        _check(bool(layout(root, name, None).ids), f"the split {name!r} can be opened")
    dataset = layout(root, split, None)
    for path in dataset.other_files():
        _check(path.is_file() and root in path.parents, f"{path} is a file inside")
    _check_lists(dataset, layout(root, split, None))
    for name in dataset.ids:
        _check_picture(dataset, name, root)
    with tempfile.TemporaryDirectory() as folder:
        _check_elsewhere(layout, Path(folder), split)
        names = tuple(f"class {index}" for index in range(_OTHER_LABELS))
        file = Path(folder) / "names.txt"
        file.write_text("\n".join(names), "utf-8")
        other = layout(root, split, str(file))
        _check(other.labels == names, "labels replaces the layout's own")
    _check(_listing(root) == listed, "reading leaves the folder as it is")


def _check_lists(dataset: Dataset, again: Dataset) -> None:
    ids, labels = dataset.ids, dataset.labels
    _check(bool(ids) and ids == again.ids, "ids are there, in a fixed order")
    _check(len(set(ids)) == len(ids), "every picture is listed once")
    _check(bool(labels) and all(labels), "labels are names")
    for name in ids:
        pure = PurePosixPath(name)
        inside = not pure.is_absolute() and ".." not in pure.parts
        _check(inside, f"the name {name!r} stays inside a folder")


def _check_picture(dataset: Dataset, name: str, root: Path) -> None:
    import numpy as np

    for path in (dataset.picture_path(name), dataset.truth_path(name)):
        _check(path.is_file(), f"{path} is a file")
        _check(root in path.parents, f"{path} is inside the folder")
    table, count = dataset.table(name), len(dataset.labels)
    _check(table.shape == (256,) and table.dtype == np.int16, "table is (256,) int16")
    known = (table >= -1) & (table < count) | (table == VOID)
    _check(bool(known.all()), "table holds class ids, -1 and 255")
    frame, truth = picture_with_truth(dataset, name)
    _check(truth.dtype == np.uint8, "truth is uint8")
    _check(truth.shape == frame.shape[:2], "truth has the picture's size")
    labelled = (truth < count) | (truth == VOID)
    _check(bool(labelled.all()), "every id of the truth has a label or is void")
    np.testing.assert_array_equal(dataset.truth(name), truth, "same mask, other truth")


def _check_elsewhere(layout: type[Dataset], empty: Path, split: str) -> None:
    _check(layout.recognizes(empty) is False, "recognizes no empty folder")
    _check(not layout.splits(empty), "finds no split in an empty folder")
    try:
        layout(empty, split, None)
    except InputError:
        return
    raise AssertionError("a folder without pictures was opened")


def _listing(root: Path) -> list[tuple[str, int]]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return [(str(path), path.stat().st_mtime_ns) for path in files]


def _check(holds: bool, rule: str) -> None:
    if not holds:
        raise AssertionError(f"data set contract broken: {rule}")
