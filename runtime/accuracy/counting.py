"""The loop that runs models over pictures and counts what they answer.

What differs between evaluating one model, two models at once, or a model beside label
maps that another one made is which pictures come, which models answer, and what is
counted; all three are given to `count_pictures`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from edgeseg.runtime.accuracy.boundary import boundary_matrix
from edgeseg.runtime.accuracy.counts import Counts, joint_counts, sparse
from edgeseg.runtime.accuracy.dataset import picture_with_truth
from edgeseg.runtime.accuracy.scores import confusion_matrix
from edgeseg.runtime.segmentation.letterbox import Letterbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array, Json
    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.accuracy.matching import MatchedLabels
    from edgeseg.runtime.segmentation.segmenter import Segmenter


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture to run models on.

    Parameters
    ----------
    name : str
        Of the picture.
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB.
    truth : ndarray or None
        ``(H, W)`` uint8: the data set's class ids.
    reference : ndarray or None
        ``(H, W)`` uint8: class ids that another model gave.
    """

    name: str
    frame: NDArray[np.uint8]
    truth: NDArray[np.uint8] | None = None
    reference: NDArray[np.uint8] | None = None


class Answer:
    """What one model gives for one picture.

    Parameters
    ----------
    segmenter : Segmenter
        Open; run once, here.
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB.
    """

    def __init__(self, segmenter: Segmenter, frame: NDArray[np.uint8]) -> None:
        self._segmenter = segmenter
        self._hw = (frame.shape[0], frame.shape[1])
        self._output: Array = segmenter.device.infer(segmenter.tensor(frame))[0]

    @cached_property
    def ids(self) -> NDArray[np.uint8]:
        """Class ids ``(H, W)`` at the picture's own size."""
        return self._segmenter.ids_from(self._output, self._hw)

    @cached_property
    def network_ids(self) -> NDArray[np.uint8]:
        """Class ids ``(h, w)`` at the size of the network's input, padding cut off."""
        one = self._segmenter
        scaled_hw = Letterbox.of(self._hw, one.input_hw, one.manifest.fit).scaled_hw
        return one.ids_from(self._output, scaled_hw)

    @cached_property
    def scores(self) -> Array:
        """The output's real values, channels last."""
        import numpy as np

        real = self._segmenter.device.outputs[0].dequantize(self._output)
        first = self._segmenter.head.channel_axis == 1
        return np.moveaxis(real, 1, -1) if first else real


def count_pictures(
    pictures: Iterable[Picture],
    models: Sequence[Segmenter],
    count: Callable[[Picture, Sequence[Answer]], Counts],
    *,
    done: Iterable[Counts] = (),
    progress: Callable[[int], None] | None = None,
) -> tuple[Counts, ...]:
    """Run models over pictures and count each picture.

    Parameters
    ----------
    pictures : iterable of Picture
        Taken one at a time.
    models : sequence of Segmenter
        Open; each answers every picture.
    count : callable
        Makes the counts of a picture from the answers, in the models' order.
    done : iterable of Counts
        Of pictures that need not be run again.
    progress : callable or None
        Called with the number of pictures counted.

    Returns
    -------
    tuple of Counts
        Those done before, then those of the pictures.
    """
    counted = list(done)
    for picture in pictures:
        answers = [Answer(model, picture.frame) for model in models]
        counted.append(count(picture, answers))
        if progress is not None:
            progress(len(counted))
    return tuple(counted)


def of_total(
    progress: Callable[[int, int], None] | None, total: int
) -> Callable[[int], None] | None:
    """Return progress for `count_pictures` that also gives the pictures in all."""
    return None if progress is None else lambda done: progress(done, total)


def pictures_with_truth(
    dataset: Dataset,
    names: Iterable[str],
    reference: Callable[[str], NDArray[np.uint8] | None] | None = None,
) -> Iterator[Picture]:
    """Yield pictures of a data set.

    Parameters
    ----------
    dataset : Dataset
        Open.
    names : iterable of str
        The pictures to take.
    reference : callable or None
        Returns the class ids that another model gave for a picture.

    Raises
    ------
    InputError
        A picture, mask or label map is unusable, or their sizes differ.
    """
    for name in names:
        frame, truth = picture_with_truth(dataset, name)
        theirs = None if reference is None else reference(name)
        yield Picture(name, frame, truth, theirs)


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

    def _own(
        self, truth: NDArray[np.uint8], ids: NDArray[np.uint8]
    ) -> tuple[tuple[int, int, int], ...]:
        predicted = self.matched.predicted_table[ids]
        return sparse(confusion_matrix(truth, predicted, len(self.matched.labels)))

    def _boundary(
        self, truth: NDArray[np.uint8], ids: NDArray[np.uint8]
    ) -> tuple[tuple[int, int, int], ...]:
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
