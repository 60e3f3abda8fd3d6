"""The fewest operators in float that keep the accuracy lost within a budget.

How it works:

1. Operators are ranked by what their quantization costs (see `measure_sensitivity`),
   on calibration pictures. The sets tried are nested: the k dearest stay in float.
2. The data set's pictures are dealt into two halves (see `halves`). On the first, sets
   of k = 0, 1, 2, 4, ... are scored against the float model, then the gap below the
   smallest that meets the budget is halved (see `fewest`). Every larger set that was
   tried must meet it too: that one set alone does is luck, which other pictures do
   not repeat. At most half of the operators are kept: with more it would hardly be a
   quantized model.
3. The chosen set is scored once on the second half, which nothing was chosen on. The
   budget counts as met only if it is met there too.

What the figures mean: a loss is the difference of two mIoU on the same pictures. On
some hundred pictures its 95 % interval reaches about half a point to either side, so
that a budget of a tenth of a point is finer than the pictures can resolve: which k is
the fewest is then partly chance, and a set that meets the budget on one half may well
miss it on the other, though it loses nothing in truth. The interval stands beside each
figure for that reason.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from edgeseg.converter.budgeting.candidates import FloatScores, invoke_ms
from edgeseg.converter.budgeting.final_scores import with_output_of
from edgeseg.converter.budgeting.result import Budget as Budget
from edgeseg.converter.budgeting.result import SearchPoint, Verification, lost, reason
from edgeseg.converter.budgeting.sensitivity import measure_sensitivity
from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.evaluation import halves
from edgeseg.runtime.accuracy.matching import SHARED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.budgeting.keepable import KeepableOperator
    from edgeseg.converter.quantization.quantize import Quantization
    from edgeseg.devices.types import Array
    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.accuracy.matching import Matching


# Tensors that operators are ranked on
_RANKING_TENSORS = 12


def search_budget(
    quantization: Quantization,
    *,
    reference: Segmenter,
    open_result: Callable[[bytes], Segmenter],
    dataset: Dataset,
    max_drop: float,
    tensors: Iterable[Array],
    matching: Matching = SHARED,
    ranking_limit_s: float = 600.0,
    progress: Callable[[str], None] | None = None,
) -> Budget:
    """Find the fewest operators to keep in float so that mIoU loses little enough.

    Parameters
    ----------
    quantization : Quantization
        Of the float model.
    reference : Segmenter
        The float TFLite model, open.
    open_result : callable
        Opens what `Quantization.make` returns; it is closed here.
    dataset : Dataset
        Pictures with truth, at least 2.
    max_drop : float
        What mIoU may lose, 0..1: 0.001 is a tenth of a point.
    tensors : iterable of ndarray
        Input tensors of calibration pictures; the first 12 are used.
    matching : Matching
        Which classes count, and how.
    ranking_limit_s : float
        See `measure_sensitivity`.
    progress : callable or None
        Called with a line of text for each step.

    Returns
    -------
    Budget
        Not met is a result too; its reason says why.

    Raises
    ------
    InputError
        ``max_drop`` is no share, or a picture is unusable.
    ConversionError
        The recipe quantizes nothing.
    """
    first, second = _checked_halves(dataset, max_drop)
    report = progress or (lambda line: None)
    few = list(itertools.islice(tensors, _RANKING_TENSORS))
    ranking = measure_sensitivity(
        quantization, few, limit_s=ranking_limit_s, progress=progress
    )
    report(f"scoring float on {len(first)} pictures")
    search = _Search(quantization, ranking.ranking, open_result, report)
    searched = FloatScores(reference, dataset, first, matching)
    frame = dataset.picture(first[0])
    chosen = search.fewest(searched, frame, max_drop)
    found = Budget(
        max_drop=max_drop,
        met=False,
        reason="",
        images=len(first),
        classes=searched.classes,
        reference_miou=searched.miou,
        ranking=ranking,
        curve=search.curve,
        chosen=chosen,
    )
    if chosen is not None:
        report(f"verifying {chosen.kept} in float on {len(second)} other pictures")
        content = search.make(chosen.kept)
        other = FloatScores(reference, dataset, second, matching)
        found = _verified(found, content, other, open_result)
    return replace(found, reason=reason(found))


class _Search:
    """Nested sets of operators in float, each scored once."""

    def __init__(
        self,
        quantization: Quantization,
        ranking: Sequence[KeepableOperator],
        open_result: Callable[[bytes], Segmenter],
        report: Callable[[str], None],
    ) -> None:
        self._quantization = quantization
        self._ranking = ranking
        self._open = open_result
        self._report = report
        self._whole = quantization.make()
        self._points: dict[int, SearchPoint] = {}

    @property
    def curve(self) -> tuple[SearchPoint, ...]:
        """Everything tried, by operators kept."""
        return tuple(self._points[kept] for kept in sorted(self._points))

    def make(self, kept: int) -> bytes:
        """Return the model with so many operators in float."""
        places = [operator.place for operator in self._ranking[:kept]]
        return with_output_of(self._quantization.make(places), self._whole)

    def fewest(
        self, reference: FloatScores, frame: NDArray[np.uint8], max_drop: float
    ) -> SearchPoint | None:
        """Return the smallest set that meets the budget; see the module."""

        def meets(kept: int) -> bool:
            point = self._point(kept, reference, frame)
            self._points[kept] = point
            return point.drop.difference <= max_drop

        kept = fewest(meets, len(self._ranking) // 2)
        return None if kept is None else self._points[kept]

    def _point(
        self, kept: int, reference: FloatScores, frame: NDArray[np.uint8]
    ) -> SearchPoint:
        with self._open(self.make(kept)) as opened:
            standing = reference.against(opened)
            latency = invoke_ms(opened, frame)
        drop = standing.drop
        self._report(
            f"{kept} of {len(self._ranking)} operators in float: mIoU "
            f"{100 * standing.miou:.2f} %, {lost(drop)}, {latency:.1f} ms"
        )
        names = tuple(operator.name for operator in self._ranking[:kept])
        return SearchPoint(
            kept, names, standing.miou, drop, standing.agreement, latency
        )


def _verified(
    found: Budget,
    content: bytes,
    reference: FloatScores,
    open_result: Callable[[bytes], Segmenter],
) -> Budget:
    """Return the budget with what the other pictures say of the chosen set."""
    with open_result(content) as opened:
        standing = reference.against(opened)
    met = standing.drop.difference <= found.max_drop
    return replace(
        found,
        met=met,
        verification=Verification(
            images=len(reference.names),
            met=met,
            reference_miou=reference.miou,
            miou=standing.miou,
            drop=standing.drop,
            agreement=standing.agreement,
        ),
        content=content if met else None,
    )


def _checked_halves(
    dataset: Dataset, max_drop: float
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not 0 <= max_drop < 1:
        raise InputError(
            f"expected a budget from 0 up to 100 points of mIoU, got {100 * max_drop:g}"
        )
    first, second = halves(dataset.ids)
    if not second:
        raise InputError(
            f"expected at least 2 pictures with truth, one to search on and one to "
            f"verify on, got {len(first)}: a budget needs some hundreds"
        )
    return first, second


def fewest(meets: Callable[[int], bool], most: int) -> int | None:
    """Return the smallest number that meets, as do all larger ones that were tried.

    0, 1, 2, 4, ... and the largest are tried, then the gap below the smallest of
    those that meet is halved. One that meets below another that does not is taken for
    luck. Each number is tried once at most, some ``2 log2(most)`` of them.

    Parameters
    ----------
    meets : callable
        Tries a number in ``0..most``.
    most : int
        The largest number allowed.

    Returns
    -------
    int or None
        None where the largest does not meet.

    Examples
    --------
    >>> fewest(lambda number: number >= 5, 20)
    5
    >>> fewest(lambda number: number == 2 or number > 16, 20)  # 2 is luck: 4 fails
    17
    """
    failed, met = -1, None
    for number in _doubling(most):
        if not meets(number):
            failed, met = number, None
        elif met is None:
            met = number
    while met is not None and met - failed > 1:
        middle = (failed + met) // 2
        if meets(middle):
            met = middle
        else:
            failed = middle
    return met


def _doubling(most: int) -> Iterator[int]:
    """Yield 0, 1, 2, 4, ... below ``most``, then ``most``."""
    yield 0
    number = 1
    while number < most:
        yield number
        number *= 2
    if most > 0:
        yield most
