"""The pictures to train on, and the pictures to validate on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.training.data.classes import ChosenClasses, check_classes
from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.lists import read_list
from edgeseg.runtime.accuracy.open import open_dataset

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeseg.runtime.accuracy.dataset import Dataset

_HELD_OUT = 10  # one in so many pictures, where there is no list to validate on


def open_splits(
    root: Path,
    *,
    split: str,
    val_root: Path | None,
    val_split: str,
    labels: str | None,
    classes: Sequence[str] | None,
    limit: int | None,
    val_limit: int | None,
    hold_out: Path | None = None,
) -> tuple[ChosenClasses, ChosenClasses]:
    """Open the pictures to train and to validate on.

    Parameters
    ----------
    root : Path
        A data set's folder; see `open_dataset`.
    split, val_split : str
        Lists. Where there is no list to validate on, every tenth picture of the
        training list is held out.
    val_root : Path or None
        Folder to validate on, if another.
    labels : str or None
        What the masks' ids are.
    classes : sequence of str or None
        Names to learn, in the order of the new ids.
    limit, val_limit : int or None
        Pictures to take, spread over the list.
    hold_out : Path or None
        A text file with names of the training list: hold them out, and validate on
        them, so that a list kept for the end stays unseen.

    Raises
    ------
    InputError
        A folder or list cannot be used, the classes do not fit, or both lists share
        pictures.
    """
    train = open_dataset(root, split, labels=labels)
    if classes is not None:
        check_classes(train.labels, classes)
    if hold_out is not None:
        taken, own = _without(train.ids, hold_out)
        return (
            ChosenClasses(train, classes, _spread(taken, limit)),
            ChosenClasses(train, classes, _spread(own, val_limit)),
        )
    val = _validation(val_root or root, val_split, labels, train, val_root is not None)
    if val is None:
        held = train.ids[_HELD_OUT // 2 :: _HELD_OUT] or train.ids[-1:]
        taken = tuple(name for name in train.ids if name not in set(held))
        val = train
    else:
        taken, held = train.ids, val.ids
        shared = sorted(set(taken) & set(held))
        if shared:
            raise InputError(
                f"{len(shared)} pictures are in both the lists {split!r} and "
                f"{val_split!r}, such as {shared[0]}: a score on them means nothing"
            )
    return (
        ChosenClasses(train, classes, _spread(taken, limit)),
        ChosenClasses(val, classes, _spread(held, val_limit)),
    )


def _without(
    names: Sequence[str], path: Path
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names that are not in a list of them, and those that are."""
    held = read_list(path)
    known = set(names)
    unknown = [name for name in held if name not in known]
    if unknown:
        raise InputError(
            f"{path} names {len(unknown)} pictures that are not in the list to train "
            f"on, such as {unknown[0]}: expected names of that list"
        )
    chosen = set(held)
    return tuple(name for name in names if name not in chosen), held


def _validation(
    root: Path, split: str, labels: str | None, train: Dataset, explicit: bool
) -> Dataset | None:
    """Return the data set to validate on, or None where there is no such list."""
    try:
        val = open_dataset(root, split, labels=labels)
    except InputError:
        if explicit:
            raise
        return None
    # a folder without lists has one split, whatever it is called
    same = not explicit and val.ids == train.ids
    return None if same else val


def _spread(names: Sequence[str], count: int | None) -> tuple[str, ...]:
    if count is None or count >= len(names):
        return tuple(names)
    return tuple(names[i * len(names) // count] for i in range(count))
