"""Many candidates held against one reference that answers each picture only once."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.runtime.accuracy.bootstrap import Interval, paired_bootstrap
from edgeseg.runtime.accuracy.evaluation import evaluate
from edgeseg.runtime.accuracy.matching import SHARED, match_models

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.accuracy.matching import Matching

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
    matching : Matching
        Which classes count, and how.

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
        matching: Matching = SHARED,
    ) -> None:
        self.names = tuple(names)
        self._segmenter, self._dataset = segmenter, dataset
        self._matching = matching
        self._answers: dict[str, NDArray[np.uint8]] = {}
        self._scored = evaluate(
            segmenter,
            dataset,
            names=self.names,
            matching=matching,
            keep=self._answers.__setitem__,
        )
        self.miou = self._scored.own.miou
        self.classes = self._scored.classes

    def against(self, candidate: Segmenter) -> Standing:
        """Score a candidate on the same pictures.

        Raises
        ------
        InputError
            Its classes are not the reference's.
        """
        match_models(self._segmenter, candidate, self._dataset, self._matching)
        scored = evaluate(
            candidate,
            self._dataset,
            names=self.names,
            matching=self._matching,
            reference=self._answers.__getitem__,
        )
        drop = paired_bootstrap(
            self._scored.by_class, scored.by_class, self._scored.chosen
        )
        return Standing(scored.own.miou, drop, scored.flips.agreement)


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
