"""Score one model, or two against each other, on pictures with truth."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.boundary import boundary_matrix
from edgeseg.runtime.accuracy.matching import match_model, match_models
from edgeseg.runtime.accuracy.paired import PairedEvaluation
from edgeseg.runtime.accuracy.scores import Scores, confusion_matrix, scores
from edgeseg.runtime.pictures.files import read_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.segmentation.segmenter import Segmenter


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

    def to_dict(self) -> Json:
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
    import numpy as np

    matching = match_model(
        segmenter, dataset, classes=classes, merge_others=merge_others
    )
    count = len(matching.labels)
    matrices = np.zeros((len(dataset.ids), count, count), np.int64)
    for index, name in enumerate(dataset.ids):
        frame, truth = picture_with_truth(dataset, name)
        ids = matching.predicted_table[segmenter.segment(frame).ids]
        matrices[index] = confusion_matrix(matching.truth_table[truth], ids, count)
        if progress is not None:
            progress(index + 1, len(dataset.ids))
    names = tuple(matching.labels[i] for i in matching.chosen)
    scored = scores(matrices.sum(axis=0), matching.labels, matching.chosen)
    return Evaluation(scored, len(dataset.ids), names, matrices, matching.chosen)


def evaluate_pair(
    reference: Segmenter,
    candidate: Segmenter,
    dataset: Dataset,
    *,
    names: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    merge_others: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> PairedEvaluation:
    """Segment the same pictures with two models and score both at the own size.

    Parameters
    ----------
    reference, candidate : Segmenter
        Open, with the same classes. Models without labels are taken to have the data
        set's.
    dataset : Dataset
        Pictures and truth.
    names : sequence of str or None
        Pictures to take; None takes all.
    classes, merge_others
        See `match_labels`.
    progress : callable or None
        Called with pictures done and pictures in all.

    Raises
    ------
    InputError
        A picture or mask is unusable, their sizes differ, a name is not in the data
        set, or labels do not match.
    """
    import numpy as np

    taken = _taken(dataset, names)
    matching = match_models(
        reference, candidate, dataset, classes=classes, merge_others=merge_others
    )
    count, pictures = len(matching.labels), len(taken)
    matrices = np.zeros((2, pictures, count, count), np.int64)
    boundaries = np.zeros((2, pictures, count + 1, count + 1), np.int64)
    equal, pixels = np.zeros(pictures, np.int64), np.zeros(pictures, np.int64)
    for index, name in enumerate(taken):
        frame, mask = picture_with_truth(dataset, name)
        truth = matching.truth_table[mask]
        answers = [model.segment(frame).ids for model in (reference, candidate)]
        equal[index] = np.count_nonzero(answers[0] == answers[1])
        pixels[index] = mask.size
        for which, answer in enumerate(answers):
            ids = matching.predicted_table[answer]
            matrices[which, index] = confusion_matrix(truth, ids, count)
            boundaries[which, index] = boundary_matrix(truth, ids, count)
        if progress is not None:
            progress(index + 1, pictures)
    return PairedEvaluation(
        names=taken,
        labels=matching.labels,
        chosen=matching.chosen,
        matrices=matrices,
        boundaries=boundaries,
        equal=equal,
        pixels=pixels,
    )


def picture_with_truth(
    dataset: Dataset, name: str
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a picture ``(H, W, 3)`` uint8 RGB and its true ids ``(H, W)`` uint8.

    Raises
    ------
    InputError
        One of them is unusable, or they differ in size.
    """
    frame, truth = read_picture(dataset.picture_path(name)), dataset.truth(name)
    if truth.shape != frame.shape[:2]:
        raise InputError(
            f"picture and mask of {name} differ in size: "
            f"{frame.shape[1]}x{frame.shape[0]} and {truth.shape[1]}x{truth.shape[0]}"
        )
    return frame, truth


def halves(ids: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the pictures to search a setting on, and those to verify it on.

    They take turns in the list's order, so that each half is spread over all of it.

    Examples
    --------
    >>> halves(["a", "b", "c"])
    (('a', 'c'), ('b',))
    """
    return tuple(ids[::2]), tuple(ids[1::2])


def _taken(dataset: Dataset, names: Sequence[str] | None) -> tuple[str, ...]:
    taken = tuple(dataset.ids if names is None else names)
    strange = sorted(set(taken) - set(dataset.ids))
    if strange or not taken:
        raise InputError(
            f"expected pictures of the data set, got {', '.join(strange[:4]) or 'none'}"
        )
    return taken
