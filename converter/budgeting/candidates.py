"""Many candidates held against one reference that answers each picture only once."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.runtime.accuracy.bootstrap import Interval, paired_bootstrap
from edgeseg.runtime.accuracy.evaluation import picture_with_truth
from edgeseg.runtime.accuracy.matching import match_model, match_models
from edgeseg.runtime.accuracy.scores import confusion_matrix, scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.accuracy.dataset import Dataset

_WARM_UP = 3
_RUNS = 20
# A network of many seconds is not run 20 times: its clock is exact enough by then
_LONGEST_S, _LEAST_RUNS = 20.0, 5


@dataclass(frozen=True)
class Standing:
    """How a candidate stands against the reference, on the same pictures.

    Parameters
    ----------
    miou : float
        Of the candidate, 0..1.
    drop : Interval
        Reference minus candidate, with the 95 % interval of a paired bootstrap.
    agreement : float
        Share of pixels with equal labels, 0..1.
    """

    miou: float
    drop: Interval
    agreement: float


class FloatScores:
    """A reference model's answers to some pictures of a data set, kept in memory.

    Parameters
    ----------
    segmenter : Segmenter
        Open.
    dataset : Dataset
        Pictures and truth.
    names : sequence of str
        The pictures to take.
    classes, merge_others
        See `match_labels`.

    Raises
    ------
    InputError
        A picture or mask is unusable, or labels do not match.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        dataset: Dataset,
        names: Sequence[str],
        *,
        classes: Sequence[str] | None = None,
        merge_others: bool = False,
    ) -> None:
        self.names = tuple(names)
        self._segmenter, self._dataset = segmenter, dataset
        self._match: Json = {"classes": classes, "merge_others": merge_others}
        matching = match_model(segmenter, dataset, **self._match)
        self._labels, self._chosen = matching.labels, matching.chosen
        self._answers, self._matrices = self._answer(segmenter)
        self.miou = self._miou(self._matrices)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that means are taken over."""
        return tuple(self._labels[i] for i in self._chosen)

    def against(self, candidate: Segmenter) -> Standing:
        """Score a candidate on the same pictures.

        Raises
        ------
        InputError
            Its classes are not the reference's.
        """
        match_models(self._segmenter, candidate, self._dataset, **self._match)
        answers, matrices = self._answer(candidate)
        pairs = list(zip(self._answers, answers, strict=True))
        equal = sum(int((first == second).sum()) for first, second in pairs)
        return Standing(
            miou=self._miou(matrices),
            drop=paired_bootstrap(self._matrices, matrices, self._chosen),
            agreement=equal / sum(answer.size for answer in answers),
        )

    def _answer(
        self, model: Segmenter
    ) -> tuple[list[NDArray[np.uint8]], NDArray[np.int64]]:
        """Return ids ``(H, W)`` uint8 and a confusion matrix for each picture."""
        import numpy as np

        matching = match_model(model, self._dataset, **self._match)
        answers, matrices = [], []
        for name in self.names:
            frame, mask = picture_with_truth(self._dataset, name)
            answer = model.segment(frame).ids
            answers.append(answer)
            truth, ids = matching.truth_table[mask], matching.predicted_table[answer]
            matrices.append(confusion_matrix(truth, ids, len(matching.labels)))
        return answers, np.stack(matrices)

    def _miou(self, matrices: NDArray[np.int64]) -> float:
        return scores(matrices.sum(axis=0), self._labels, self._chosen).miou


def invoke_ms(segmenter: Segmenter, frame: NDArray[np.uint8]) -> float:
    """Return the median time of an inference in milliseconds.

    After a warm-up the same input runs at least 20 times, or at least 5 where 20 would
    take longer than 20 seconds.

    Parameters
    ----------
    segmenter : Segmenter
        Open.
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB, any size.
    """
    tensor = segmenter.tensor(frame)
    for _ in range(_WARM_UP):
        segmenter.device.infer(tensor)
    spent: list[float] = []
    while len(spent) < _RUNS and (len(spent) < _LEAST_RUNS or sum(spent) < _LONGEST_S):
        started = time.perf_counter()
        segmenter.device.infer(tensor)
        spent.append(time.perf_counter() - started)
    return 1000 * statistics.median(spent)
