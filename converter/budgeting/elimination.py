"""Operators ranked by quantizing one after the other, the one that hurts least first.

Costs measured one at a time do not add up: neighbours share the tensor between them,
which is quantized once. Here each step starts from what is still in float. Only the
few that looked cheapest so far are measured again, and the neighbours of the last,
whose own cost has just fallen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeseg.converter.budgeting.keepable import Operator

_CHEAPEST = 4
MEASUREMENTS = _CHEAPEST + 2  # a step, at most


def eliminated(
    operators: Sequence[Operator], error: Callable[[Sequence[Operator]], float]
) -> list[Operator]:
    """Return operators by what their quantization costs, the dearest first.

    Parameters
    ----------
    operators : sequence of Operator
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
    kept: Sequence[Operator], costs: dict[Operator, float], last: Operator | None
) -> list[Operator]:
    cheapest = sorted(kept, key=lambda operator: (costs[operator], -operator.place))
    near = [
        operator
        for operator in kept
        if last is not None and abs(operator.place - last.place) == 1
    ]
    return list(dict.fromkeys([*cheapest[:_CHEAPEST], *near]))
