"""Label sets matched by name: what a model's ids and a data set's ids count as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.model.labels import VOID, same_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.segmentation.segmenter import Segmenter


@dataclass(frozen=True)
class Matching:
    """How two label sets are matched, and which classes a mean is taken over.

    Truth of a class that the model does not know counts as background, and so does
    the prediction of a class that the data set does not know.

    Parameters
    ----------
    classes : tuple of str or None
        Names to average over; None takes the classes that both know.
    merge_others : bool
        Count every class that is not named in ``classes`` as background on both
        sides, so that models with different label sets compare fairly.
    """

    classes: tuple[str, ...] | None = None
    merge_others: bool = False


SHARED = Matching()  # average over the classes that both know


@dataclass(frozen=True)
class MatchedLabels:
    """Two label sets brought to one: what each id counts as.

    Parameters
    ----------
    labels : tuple of str
        The data set's labels.
    chosen : tuple of int
        Their ids that the mean is taken over.
    truth_table, predicted_table : ndarray
        ``(256,)`` uint8: the id that a truth id, a predicted id counts as.
    """

    labels: tuple[str, ...]
    chosen: tuple[int, ...]
    truth_table: NDArray[np.uint8]
    predicted_table: NDArray[np.uint8]


def match_labels(
    truth: Sequence[str], predicted: Sequence[str], matching: Matching = SHARED
) -> MatchedLabels:
    """Match two label sets by name.

    Parameters
    ----------
    truth, predicted : sequence of str
        Labels of the data set and of the model.
    matching : Matching
        Which classes to average over, what becomes of the others.

    Raises
    ------
    InputError
        A named class is in neither set, or there is no background to count as.
    """
    truth_ids = {same_name(name): i for i, name in enumerate(truth)}
    model_names = {same_name(name) for name in predicted}
    named = [same_name(name) for name in (matching.classes or truth)]
    unknown = [name for name in named if name not in truth_ids]
    if unknown:
        raise InputError(
            f"no class {', '.join(map(repr, unknown))} in the data set; known: "
            f"{', '.join(truth)}"
        )
    if not set(truth_ids) & model_names:
        raise InputError(
            "model and data set have no class name in common: "
            f"{', '.join(predicted[:4])}, ... and {', '.join(truth[:4])}, ..."
        )
    background = truth_ids.get("background")
    kept = set(truth_ids) & model_names
    if matching.merge_others:
        kept &= set(named)
    truth_table = _table(truth, truth_ids, kept, background)
    predicted_table = _table(predicted, truth_ids, kept, background)
    chosen = [truth_ids[name] for name in named if matching.classes or name in kept]
    truth_table[VOID] = VOID
    return MatchedLabels(tuple(truth), tuple(chosen), truth_table, predicted_table)


def match_model(
    segmenter: Segmenter, dataset: Dataset, matching: Matching = SHARED
) -> MatchedLabels:
    """Match a model's labels and a data set's.

    A model without labels is taken to have the data set's.

    Raises
    ------
    InputError
        The labels do not match, or the model has none and another number of classes.
    """
    labels, count = segmenter.manifest.labels, segmenter.head.classes
    if not labels and 1 < count != len(dataset.labels):
        raise InputError(
            f"the model has {count} classes without names, the data set "
            f"{len(dataset.labels)}: give the model's names with --labels"
        )
    return match_labels(dataset.labels, labels or dataset.labels, matching)


def match_models(
    reference: Segmenter,
    candidate: Segmenter,
    dataset: Dataset,
    matching: Matching = SHARED,
) -> MatchedLabels:
    """Match a data set's labels and those that two models have in common.

    Raises
    ------
    InputError
        As `match_model`, or the models' class ids do not mean the same.
    """
    first = match_model(reference, dataset, matching)
    second = match_model(candidate, dataset, matching)
    same = first.chosen == second.chosen
    if not same or (first.predicted_table != second.predicted_table).any():
        raise InputError(
            "expected two models with the same classes in the same order, got "
            f"{', '.join(reference.manifest.labels[:4])}, ... and "
            f"{', '.join(candidate.manifest.labels[:4])}, ...: compare a model with "
            "what was made of it"
        )
    return first


def _table(
    labels: Sequence[str],
    truth_ids: dict[str, int],
    kept: set[str],
    background: int | None,
) -> NDArray[np.uint8]:
    import numpy as np

    table = np.arange(256, dtype=np.uint8)
    for class_id, name in enumerate(map(same_name, labels)):
        if name in kept:
            table[class_id] = truth_ids[name]
        elif background is None:
            raise InputError(
                f"class {name!r} is not on both sides and the data set has no "
                "background to count it as"
            )
        else:
            table[class_id] = background
    return table
