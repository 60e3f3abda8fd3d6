"""Score a model on pictures with truth, by one confusion matrix."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeseg.devices import InputError
from edgeseg.runtime.pictures import read_picture
from edgeseg.runtime.scoring import Scores, confusion_matrix, match_labels, scores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.datasets import Dataset


@dataclass(frozen=True)
class Evaluation:
    """Scores of one model on one data set.

    Parameters
    ----------
    scores : Scores
        mIoU and the others.
    images : int
        Pictures scored.
    classes : tuple of str
        Names that the mean was taken over.
    matrices : ndarray
        ``(images, C, C)`` int64, a confusion matrix a picture.
    chosen : tuple of int
        Class ids that the mean was taken over.
    """

    scores: Scores
    images: int
    classes: tuple[str, ...]
    matrices: NDArray[np.int64]
    chosen: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            **asdict(self.scores),
            "images": self.images,
            "classes": list(self.classes),
        }


def evaluate(
    segmenter: Segmenter,
    dataset: Dataset,
    *,
    classes: Sequence[str] | None = None,
    merge_others: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Segment every picture of a data set and score it at its own size.

    Parameters
    ----------
    segmenter : Segmenter
        Open. A model without labels is taken to have the data set's.
    dataset : Dataset
        Pictures and truth.
    classes, merge_others
        See `match_labels`.
    progress : callable or None
        Called with pictures done and pictures in all.

    Raises
    ------
    InputError
        A picture or mask is unusable, their sizes differ, or labels do not match.
    """
    labels = segmenter.manifest.labels or assumed_labels(segmenter, dataset)
    matching = match_labels(
        dataset.labels, labels, classes=classes, merge_others=merge_others
    )
    count = len(matching.labels)
    matrices = np.zeros((len(dataset.ids), count, count), np.int64)
    for index, name in enumerate(dataset.ids):
        frame = read_picture(dataset.picture_path(name))
        truth = dataset.truth(name)
        if truth.shape != frame.shape[:2]:
            raise InputError(
                f"picture and mask of {name} differ in size: "
                f"{frame.shape[1]}x{frame.shape[0]} and "
                f"{truth.shape[1]}x{truth.shape[0]}"
            )
        ids = segmenter.segment(frame).ids
        matrices[index] = confusion_matrix(
            matching.truth_table[truth], matching.predicted_table[ids], count
        )
        if progress is not None:
            progress(index + 1, len(dataset.ids))
    names = tuple(matching.labels[i] for i in matching.chosen)
    scored = scores(matrices.sum(axis=0), matching.labels, matching.chosen)
    return Evaluation(scored, len(dataset.ids), names, matrices, matching.chosen)


def assumed_labels(segmenter: Segmenter, dataset: Dataset) -> tuple[str, ...]:
    """Return the data set's labels for a model that has none.

    Raises
    ------
    InputError
        The model's number of classes is another.
    """
    classes = segmenter.head.classes
    if classes > 1 and classes != len(dataset.labels):
        raise InputError(
            f"the model has {classes} classes without names, the data set "
            f"{len(dataset.labels)}: give the model's names with --labels"
        )
    return dataset.labels
