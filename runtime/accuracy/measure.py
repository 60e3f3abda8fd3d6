"""How well a model does on pictures with truth, in every way that is asked for.

One pass over the pictures gives the scores at their own size, the same near edges,
those at the size of the network's input and, beside a reference's label maps, the
share of equal labels and which class became which. The network-size score brings the
truth to the network's canvas by the nearest pixel: it is what papers often report,
kinder or harsher than the own size, and never to be mixed with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.wording import encodable
from edgeseg.runtime.accuracy.boundary import boundary_matrix
from edgeseg.runtime.accuracy.counts import Counts, digest_of, joint_counts, sparse
from edgeseg.runtime.accuracy.evaluation import picture_with_truth
from edgeseg.runtime.accuracy.matching import match_model
from edgeseg.runtime.accuracy.result import Accuracy
from edgeseg.runtime.accuracy.scores import confusion_matrix
from edgeseg.runtime.model.labels import VOID
from edgeseg.runtime.segmentation.letterbox import place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.accuracy.journal import Journal
    from edgeseg.runtime.accuracy.matching import Matching
    from edgeseg.runtime.segmentation.segmenter import Segmenter


def measure_accuracy(
    segmenter: Segmenter,
    dataset: Dataset,
    *,
    limit: int | None = None,
    classes: Sequence[str] | None = None,
    merge_others: bool = False,
    reference: Callable[[str], NDArray[np.uint8]] | None = None,
    keep: Callable[[str, NDArray[np.uint8]], None] | None = None,
    journal: Journal | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Accuracy:
    """Segment the pictures of a data set and count everything that scores need.

    Parameters
    ----------
    segmenter : Segmenter
        Open. A model without labels is taken to have the data set's.
    dataset : Dataset
        Pictures and truth.
    limit : int or None
        Take the first so many pictures; None takes all.
    classes, merge_others
        See `match_labels`.
    reference : callable or None
        Gives the label map ``(H, W)`` uint8 of a picture that another model made,
        with the same class ids.
    keep : callable or None
        Is given each picture's name and label map before the picture counts as done.
    journal : Journal or None
        Pictures in it are not segmented again; each one done is added.
    progress : callable or None
        Called with pictures done and pictures in all.

    Raises
    ------
    InputError
        A picture, mask or label map is unusable, their sizes differ, labels do not
        match, or the journal does not fit.
    """
    names = dataset.ids[:limit]
    matching = match_model(
        segmenter, dataset, classes=classes, merge_others=merge_others
    )
    done = _done(journal, names)
    for name in names[len(done) :]:
        frame, mask = picture_with_truth(dataset, name)
        ids, small = _segment(segmenter, frame)
        other = None if reference is None else reference(name)
        counts = count_picture(name, mask, ids, small, matching, reference=other)
        if keep is not None:
            keep(name, ids)
            counts = replace(counts, digest=digest_of(ids))
        if journal is not None:
            journal.append(counts.to_dict())
        done.append(counts)
        if progress is not None:
            progress(len(done), len(names))
    return Accuracy(
        labels=matching.labels,
        chosen=matching.chosen,
        model_labels=segmenter.manifest.labels or dataset.labels,
        network_hw=segmenter.input_hw,
        pictures=tuple(done),
    )


def count_picture(
    name: str,
    mask: NDArray[np.uint8],
    ids: NDArray[np.uint8],
    small: NDArray[np.uint8],
    matching: Matching,
    *,
    reference: NDArray[np.uint8] | None = None,
) -> Counts:
    """Count one picture.

    Parameters
    ----------
    name : str
        Of the picture.
    mask, ids : ndarray
        ``(H, W)`` uint8: the data set's truth, the model's class ids.
    small : ndarray
        ``(h, w)`` uint8: the model's class ids on the network's canvas, padding cut.
    matching : Matching
        What ids count as.
    reference : ndarray or None
        ``(H, W)`` uint8: another model's class ids.

    Raises
    ------
    InputError
        Sizes differ, or an id has no class.
    """
    count, truth = len(matching.labels), matching.truth_table[mask]
    mine = matching.predicted_table[ids]
    at_network = confusion_matrix(
        nearest(truth, (small.shape[0], small.shape[1])),
        matching.predicted_table[small],
        count,
    )
    counts: Json = {
        "own": sparse(confusion_matrix(truth, mine, count)),
        "boundary": _boundary(truth, mine, count),
        "network": sparse(at_network),
    }
    if reference is not None:
        theirs = matching.predicted_table[reference]
        counts["reference_own"] = sparse(confusion_matrix(truth, theirs, count))
        counts["reference_boundary"] = _boundary(truth, theirs, count)
        counts["flips"] = joint_counts(reference, ids)
    return Counts(name, **counts)


def nearest(ids: NDArray[np.uint8], hw: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a label map at another size, each pixel the one under its centre.

    Parameters
    ----------
    ids : ndarray
        ``(H, W)`` uint8.
    hw : (int, int)
        Height and width wanted.

    Examples
    --------
    >>> import numpy as np
    >>> nearest(np.uint8([[1, 2, 3, 4]]), (1, 2))
    array([[2, 4]], dtype=uint8)
    """
    import numpy as np

    # centre (i + 1/2) * from / to, in whole numbers
    rows, columns = (
        (2 * np.arange(to) + 1) * length // (2 * to)
        for length, to in zip(ids.shape, hw, strict=True)
    )
    return ids[np.ix_(rows, columns)]


def _segment(
    segmenter: Segmenter, frame: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return class ids at the picture's size and on the network's canvas."""
    hw = (frame.shape[0], frame.shape[1])
    output = segmenter.device.infer(segmenter.tensor(frame))[0]
    ids = segmenter.ids_from(output, hw).copy()
    on_canvas = place(hw, segmenter.input_hw, segmenter.manifest.fit).scaled_hw
    return ids, segmenter.ids_from(output, on_canvas)


def _boundary(
    truth: NDArray[np.uint8], ids: NDArray[np.uint8], count: int
) -> tuple[tuple[int, int, int], ...]:
    # a data set of over 253 classes has no id left for "away from every edge"
    if count >= VOID - 1:
        return ()
    return sparse(boundary_matrix(truth, ids, count))


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
