"""The cost of quantizing each operator, so that the dearest can stay in float.

An operator's cost is the mean squared error that the final scores get when it alone
is quantized and everything else computes in float, on a few pictures. The opposite,
what is won when one operator alone stays in float, ranks worse by far: between
quantized neighbours it still reads and writes integers, so that little more than its
weights is won. The noise in what an operator writes (see `layer_noise`) ranks worse
still: it holds all that came before and says nothing of what comes after. Measured on
DeepLabv3 with MobileNetV2 (alpha 0.5, 257x257, 68 operators), this share of the
squared error of int8 is left with 8 and 16 operators in float, chosen by

    ===================================  ====  ====
    noise                                98 %  98 %
    gain alone in float                  64 %  66 %
    cost alone quantized                 19 %  17 %
    the same in runs of 4                18 %  14 %
    cost, then elimination               17 %  11 %
    ===================================  ====  ====

Each cost takes a quantization and a few inferences. Where one for each operator would
take too long, runs of neighbours are quantized together and share their cost. Where
there is time, the dearer half is ranked anew (see `eliminated`): costs measured one at
a time do not add up, since neighbours share the tensor between them, which is quantized
once. There one operator after the other is quantized, the one that hurts least first;
only the few that looked cheapest so far are measured again, and the neighbours of the
last, whose own cost has just fallen.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from edgeseg.converter.budgeting.final_scores import final_scores, mean_squared_error
from edgeseg.converter.budgeting.keepable import KeepableOperator, keepable
from edgeseg.converter.quantization.flatbuffer import FlatModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeseg.converter.quantization.quantize import Quantization
    from edgeseg.devices.types import Array, Json


# However little time there is: fewer runs could not rank operators
_LEAST_RUNS = 8
_REPORT_EVERY = 10  # a line of progress every so many measurements
_CHEAPEST = 4
MEASUREMENTS = _CHEAPEST + 2  # a step, at most


@dataclass(frozen=True)
class Sensitivity:
    """Operators by what their quantization costs, the dearest first.

    Parameters
    ----------
    method : {"elimination", "cost", "cost of runs"}
        What they are ranked by.
    run : int
        Neighbours that were measured together; 1 measured each by itself.
    error : float
        Mean squared error of the all-quantized model's scores, in their own units.
    ranking : tuple of KeepableOperator
        Every operator that can be kept in float.
    """

    method: str
    run: int
    error: float
    ranking: tuple[KeepableOperator, ...]

    def to_dict(self) -> Json:
        """Return JSON values."""
        return asdict(self)


def measure_sensitivity(
    quantization: Quantization,
    tensors: Sequence[Array],
    *,
    limit_s: float = 600.0,
    progress: Callable[[str], None] | None = None,
) -> Sensitivity:
    """Rank the operators that can be kept in float.

    Parameters
    ----------
    quantization : Quantization
        Of the float model.
    tensors : sequence of ndarray
        Some 8 to 16 input tensors of the float model, ``(1, H, W, 3)`` float32.
    limit_s : float
        Seconds that it may take, as estimated from one measurement; a guide, not a
        promise, for at least 8 are made.
    progress : callable or None
        Called with a line of text now and then.

    Raises
    ------
    ConversionError
        The recipe quantizes nothing.
    """
    report = progress or (lambda line: None)
    whole = quantization.make()
    found = keepable(quantization.flat, FlatModel(whole))
    expected = list(final_scores(quantization.flat.to_bytes(), tensors))

    def error(kept: Sequence[KeepableOperator]) -> float:
        content = quantization.make([operator.place for operator in kept])
        return mean_squared_error(content, tensors, expected)

    started = time.monotonic()
    least = error(found)  # of what is quantized always, such as the input
    affordable = limit_s / max(time.monotonic() - started, 1e-9)
    run = run_length(len(found), affordable)
    report(f"measuring {len(found)} operators, {run} at a time")
    costs = _costs(found, run, lambda kept: error(kept) - least, report)
    ranked = sorted(costs, key=lambda operator: (-_cost(operator), operator.place))
    method = "cost" if run == 1 else "cost of runs"
    half = len(ranked) // 2
    if run == 1 and len(ranked) + MEASUREMENTS * half <= affordable:
        report(f"ranking the dearest {half} anew")
        ranked[:half] = eliminated(ranked[:half], error)
        method = "elimination"
    whole_error = mean_squared_error(whole, tensors, expected)
    return Sensitivity(method, run, whole_error, tuple(ranked))


def run_length(operators: int, affordable: float) -> int:
    """Return how many neighbours are measured together.

    Parameters
    ----------
    operators : int
        Their number.
    affordable : float
        Measurements that there is time for.

    Examples
    --------
    >>> run_length(200, 600), run_length(200, 50), run_length(200, 1)
    (1, 4, 25)
    """
    runs = min(operators, max(affordable, _LEAST_RUNS))
    return math.ceil(operators / runs)


def _costs(
    found: Sequence[KeepableOperator],
    run: int,
    error: Callable[[Sequence[KeepableOperator]], float],
    report: Callable[[str], None],
) -> list[KeepableOperator]:
    costs: list[KeepableOperator] = []
    starts = range(0, len(found), run)
    for done, start in enumerate(starts, 1):
        together = found[start : start + run]
        others = [operator for operator in found if operator not in together]
        share = error(others) / len(together)
        costs += [replace(operator, cost=share) for operator in together]
        if done % _REPORT_EVERY == 0:
            report(f"{done} of {len(starts)} measured")
    return costs


def _cost(operator: KeepableOperator) -> float:
    return 0.0 if operator.cost is None else operator.cost


def eliminated(
    operators: Sequence[KeepableOperator],
    error: Callable[[Sequence[KeepableOperator]], float],
) -> list[KeepableOperator]:
    """Return operators by what their quantization costs, the dearest first.

    Parameters
    ----------
    operators : sequence of KeepableOperator
        With their costs measured alone.
    error : callable
        Mean squared error of the scores with the given operators in float and all
        others quantized.
    """
    kept = sorted(operators, key=lambda operator: operator.place)
    costs = {operator: operator.cost or 0.0 for operator in kept}
    before, last, gone = error(kept), None, []
    while kept:
        errors = {
            operator: error([other for other in kept if other is not operator])
            for operator in _candidates(kept, costs, last)
        }
        costs |= {operator: after - before for operator, after in errors.items()}
        last = min(errors, key=lambda operator: (errors[operator], -operator.place))
        before = errors[last]
        kept.remove(last)
        gone.append(last)
    return gone[::-1]


def _candidates(
    kept: Sequence[KeepableOperator],
    costs: dict[KeepableOperator, float],
    last: KeepableOperator | None,
) -> list[KeepableOperator]:
    cheapest = sorted(kept, key=lambda operator: (costs[operator], -operator.place))
    near = [
        operator
        for operator in kept
        if last is not None and abs(operator.place - last.place) == 1
    ]
    return list(dict.fromkeys([*cheapest[:_CHEAPEST], *near]))
