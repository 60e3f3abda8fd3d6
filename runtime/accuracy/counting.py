"""The loop that runs models over pictures and counts what they answer.

What differs between evaluating one model, two models at once, or a model beside label
maps that another one made is which pictures come, which models answer, and what is
counted; all three are given to `count_pictures`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from edgeseg.runtime.accuracy.dataset import picture_with_truth
from edgeseg.runtime.segmentation.letterbox import Letterbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array
    from edgeseg.runtime.accuracy.counts import Counts
    from edgeseg.runtime.accuracy.dataset import Dataset
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
        self._output: Array = segmenter.infer(segmenter.tensor(frame))

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

        real = self._segmenter.output.dequantize(self._output)
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
