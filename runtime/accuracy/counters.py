"""What can be counted of models' answers to one picture; for `count_pictures`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.runtime.accuracy.boundary import boundary_matrix
from edgeseg.runtime.accuracy.counts import Counts, joint_counts, sparse
from edgeseg.runtime.accuracy.scores import confusion_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.counting import Answer, Picture
    from edgeseg.runtime.accuracy.counts import Rows
    from edgeseg.runtime.accuracy.matching import MatchedLabels


@dataclass(frozen=True)
class CountTruth:
    """Counts answers against truth; the last model's are the ones that are scored.

    Beside it stands a reference: the first of two models, or the picture's
    ``reference``.

    Parameters
    ----------
    matched : MatchedLabels
        What ids count as.
    boundary : bool
        Whether pixels near edges are counted too.
    network : bool
        Whether pixels at the size of the network's input are counted too.
    """

    matched: MatchedLabels
    boundary: bool = False
    network: bool = False

    def __call__(self, picture: Picture, answers: Sequence[Answer]) -> Counts:
        """Count one picture.

        Raises
        ------
        InputError
            Sizes differ, or an id has no class.
        """
        assert picture.truth is not None
        own = answers[-1]
        truth = self.matched.truth_table[picture.truth]
        counts: Json = {"own": self._own(truth, own.ids)}
        if self.boundary:
            counts["boundary"] = self._boundary(truth, own.ids)
        if self.network:
            ids = own.network_ids
            small = nearest(truth, (ids.shape[0], ids.shape[1]))
            counts["network"] = self._own(small, ids)
        reference = _reference(picture, answers)
        if reference is not None:
            counts["reference_own"] = self._own(truth, reference)
            if self.boundary:
                counts["reference_boundary"] = self._boundary(truth, reference)
            counts["flips"] = joint_counts(reference, own.ids)
        return Counts(picture.name, **counts)

    def _own(self, truth: NDArray[np.uint8], ids: NDArray[np.uint8]) -> Rows:
        predicted = self.matched.predicted_table[ids]
        return sparse(confusion_matrix(truth, predicted, len(self.matched.labels)))

    def _boundary(self, truth: NDArray[np.uint8], ids: NDArray[np.uint8]) -> Rows:
        predicted = self.matched.predicted_table[ids]
        return sparse(boundary_matrix(truth, predicted, len(self.matched.labels)))


def count_flips(picture: Picture, answers: Sequence[Answer]) -> Counts:
    """Count which class became which, without truth.

    The reference is the first of two models, or the picture's ``reference``.

    Raises
    ------
    InputError
        Sizes differ.
    """
    reference = _reference(picture, answers)
    assert reference is not None
    return Counts(picture.name, flips=joint_counts(reference, answers[-1].ids))


class ScoreGap:
    """How far the scores of two models are apart, over all pictures so far.

    Attributes
    ----------
    largest : float
        Largest absolute difference, in the models' own units.
    largest_score : float
        Largest absolute score of the first model.
    finite : bool
        Whether all scores were finite numbers.
    """

    def __init__(self) -> None:
        self.largest = self.largest_score = 0.0
        self.finite = True

    def add(self, first: Answer, second: Answer) -> None:
        """Take one more picture; what is not finite leaves the figures as they are."""
        import numpy as np

        one, two = first.scores, second.scores
        if not (np.isfinite(one).all() and np.isfinite(two).all()):
            self.finite = False
            return
        self.largest = max(self.largest, float(np.abs(one - two).max()))
        self.largest_score = max(self.largest_score, float(np.abs(one).max()))


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


def _reference(picture: Picture, answers: Sequence[Answer]) -> NDArray[np.uint8] | None:
    return answers[0].ids if len(answers) > 1 else picture.reference
