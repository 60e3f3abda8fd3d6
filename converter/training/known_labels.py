"""The names of the classes that a start was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.labels import load_labels

if TYPE_CHECKING:
    from pathlib import Path

# Public weights tell their number of classes and nothing else
_BY_COUNT = {21: "pascal-voc", 32: "ade20k-mlperf32", 19: "cityscapes"}


def start_labels(path: Path, chosen: str | None, count: int) -> tuple[str, ...]:
    """Return the labels of a model's classes, or none where nobody says.

    Parameters
    ----------
    path : Path
        The model; ``labels.txt`` beside it, as a training leaves it, counts.
    chosen : str or None
        What the user said, see `load_labels`.
    count : int
        Classes of the model.

    Raises
    ------
    InputError
        The chosen labels are not so many.
    """
    beside = path.parent / "labels.txt"
    text = chosen or (str(beside) if beside.is_file() else _BY_COUNT.get(count))
    if text is None:
        return ()
    labels = load_labels(text).labels
    if len(labels) == count:
        return labels
    if chosen is not None:
        raise InputError(
            f"expected {count} labels for the classes of {path}, got {len(labels)}: "
            "choose another --start-labels"
        )
    return load_labels(_BY_COUNT[count]).labels if count in _BY_COUNT else ()
