"""Why an accuracy budget was met or not, in one line with its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.converter.budgeting.budget_result import Budget
    from edgeseg.runtime.accuracy.bootstrap import Interval


def reason(budget: Budget) -> str:
    """Return the reason that stands in the report.

    Parameters
    ----------
    budget : Budget
        All that was found; its own reason is not looked at.
    """
    allowed = f"{100 * budget.max_drop:.2f} points allowed"
    count = _operators(budget)
    if budget.chosen is None:
        return _unreached(budget, allowed)
    told = (
        f"With {budget.chosen.kept} of {count} operators in float, "
        f"{lost(budget.chosen.drop)} on the {budget.images} pictures searched"
    )
    checked = budget.verification
    if checked is None:
        return f"{told}; not verified."
    verified = f"{lost(checked.drop)} on the {checked.images} others"
    if checked.met:
        return f"{told}, {verified}: both within the {allowed}."
    return (
        f"{told}, but {verified}: over the {allowed}. Nothing is tuned on the second "
        "half, so the search ends here; more pictures would narrow the intervals."
    )


def _unreached(budget: Budget, allowed: str) -> str:
    """Return why no set was chosen: the largest does not meet the budget."""
    largest, count = budget.curve[-1], _operators(budget)
    luck = [p.kept for p in budget.curve if p.drop.difference <= budget.max_drop]
    smaller = f" That {luck[0]} in float lose less is taken for luck." if luck else ""
    return (
        f"The largest set, {largest.kept} of {count} operators in float, "
        f"{lost(largest.drop)} on the {budget.images} pictures searched: over the "
        f"{allowed}.{smaller} With more than half in float it would hardly be a "
        "quantized model."
    )


def _operators(budget: Budget) -> int:
    return 0 if budget.ranking is None else len(budget.ranking.ranking)


def lost(drop: Interval) -> str:
    """Return a drop in points with its interval.

    Examples
    --------
    >>> from edgeseg.runtime.accuracy.bootstrap import Interval
    >>> lost(Interval(0.0012, -0.003, 0.0051))
    'loses +0.12 points (-0.30 to +0.51)'
    """
    low, high = 100 * drop.low, 100 * drop.high
    return f"loses {100 * drop.difference:+.2f} points ({low:+.2f} to {high:+.2f})"
