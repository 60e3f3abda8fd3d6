"""Score one model, or two against each other, on pictures with truth.

One pass counts everything: the scores at the pictures' own size, the same near edges,
those at the size of the network's input and, beside a reference's label maps, the
share of equal labels and which class became which. The network-size score brings the
truth to the network's input by the nearest pixel: it is what papers often report,
kinder or harsher than the own size, and never to be mixed with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import encodable
from edgeseg.runtime.accuracy.counters import CountTruth
from edgeseg.runtime.accuracy.counting import (
    count_pictures,
    of_total,
    pictures_with_truth,
)
from edgeseg.runtime.accuracy.counts import Counts, digest_of
from edgeseg.runtime.accuracy.matching import SHARED, match_model, match_models
from edgeseg.runtime.accuracy.result import Accuracy
from edgeseg.runtime.model.labels import VOID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.accuracy.counting import Answer, Picture
    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.accuracy.journal import Journal
    from edgeseg.runtime.accuracy.matching import MatchedLabels, Matching
    from edgeseg.runtime.accuracy.paired import PairedEvaluation
    from edgeseg.runtime.segmentation.segmenter import Segmenter


def evaluate(
    segmenter: Segmenter,
    dataset: Dataset,
    *,
    names: Sequence[str] | None = None,
    matching: Matching = SHARED,
    detailed: bool = False,
    reference: Callable[[str], NDArray[np.uint8]] | None = None,
    keep: Callable[[str, NDArray[np.uint8]], None] | None = None,
    journal: Journal | None = None,
    progress: Callable[[int, int], None] | None = None,
    elsewhere: Callable[[Sequence[str]], Iterable[Counts]] | None = None,
) -> Accuracy:
    """Segment pictures of a data set and count what scores need.

    Parameters
    ----------
    segmenter : Segmenter
        Open. A model without labels is taken to have the data set's.
    dataset : Dataset
        Pictures and truth.
    names : sequence of str or None
        Pictures to take; None takes all.
    matching : Matching
        Which classes count, and how.
    detailed : bool
        Also count near edges and at the size of the network's input.
    reference : callable or None
        Gives the label map ``(H, W)`` uint8 of a picture that another model made,
        with the same class ids.
    keep : callable or None
        Is given each picture's name and label map before the picture counts as done.
    journal : Journal or None
        Pictures in it are not segmented again; each one done is added.
    progress : callable or None
        Called with pictures done and pictures in all.
    elsewhere : callable or None
        Gives the counts of pictures, in their order, in place of a run here. They are
        what this function counts on the machine that they come from.

    Raises
    ------
    InputError
        A picture, mask or label map is unusable, their sizes differ, a name is not in
        the data set, labels do not match, or the journal does not fit.
    """
    taken = _taken(dataset, names)
    matched = match_model(segmenter, dataset, matching)
    # a data set of over 253 classes has no id left for "away from every edge"
    boundary = detailed and len(matched.labels) < VOID - 1
    truth = CountTruth(matched, boundary=boundary, network=detailed)

    def count(picture: Picture, answers: Sequence[Answer]) -> Counts:
        counts = truth(picture, answers)
        if keep is not None:
            keep(picture.name, answers[0].ids)
            counts = replace(counts, digest=digest_of(answers[0].ids))
        return noted(counts)

    def noted(counts: Counts) -> Counts:
        if journal is not None:
            journal.append(counts.to_dict())
        return counts

    done = _done(journal, taken)
    if elsewhere is not None:
        for counts in elsewhere(taken[len(done) :]):
            done.append(noted(counts))
            if progress is not None:
                progress(len(done), len(taken))
        return _accuracy(segmenter, dataset, matched, tuple(done))
    counted = count_pictures(
        pictures_with_truth(dataset, taken[len(done) :], reference),
        [segmenter],
        count,
        done=done,
        progress=of_total(progress, len(taken)),
    )
    return _accuracy(segmenter, dataset, matched, counted)


def evaluate_pair(
    reference: Segmenter,
    candidate: Segmenter,
    dataset: Dataset,
    *,
    names: Sequence[str] | None = None,
    matching: Matching = SHARED,
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
    matching : Matching
        Which classes count, and how.
    progress : callable or None
        Called with pictures done and pictures in all.

    Raises
    ------
    InputError
        A picture or mask is unusable, their sizes differ, a name is not in the data
        set, or labels do not match.
    """
    taken = _taken(dataset, names)
    matched = match_models(reference, candidate, dataset, matching)
    counted = count_pictures(
        pictures_with_truth(dataset, taken),
        [reference, candidate],
        CountTruth(matched, boundary=True),
        progress=of_total(progress, len(taken)),
    )
    return _accuracy(candidate, dataset, matched, counted).against()


def halves(ids: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the pictures to search a setting on, and those to verify it on.

    They take turns in the list's order, so that each half is spread over all of it.

    Examples
    --------
    >>> halves(["a", "b", "c"])
    (('a', 'c'), ('b',))
    """
    return tuple(ids[::2]), tuple(ids[1::2])


def _accuracy(
    segmenter: Segmenter,
    dataset: Dataset,
    matched: MatchedLabels,
    counted: tuple[Counts, ...],
) -> Accuracy:
    return Accuracy(
        labels=matched.labels,
        chosen=matched.chosen,
        model_labels=segmenter.manifest.labels or dataset.labels,
        network_hw=segmenter.input_hw,
        pictures=counted,
    )


def _taken(dataset: Dataset, names: Sequence[str] | None) -> tuple[str, ...]:
    taken = tuple(dataset.ids if names is None else names)
    strange = sorted(set(taken) - set(dataset.ids))
    if strange or not taken:
        raise InputError(
            f"expected pictures of the data set, got {', '.join(strange[:4]) or 'none'}"
        )
    return taken


def _done(journal: Journal | None, names: Sequence[str]) -> list[Counts]:
    """Return the counts in a journal, which are those of the first names."""
    if journal is None:
        return []
    done = [Counts.from_dict(row) for row in journal.rows]
    expected = [encodable(name) for name in names[: len(done)]]
    if [counts.name for counts in done] != expected:
        raise InputError(
            f"{journal.path} holds other pictures than the data set's list, or in "
            "another order: remove the file, or name another"
        )
    return done
