"""The result of the search for an accuracy budget, and the line that explains it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.converter.budgeting.sensitivity import Sensitivity
    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.bootstrap import Interval


@dataclass(frozen=True)
class SearchPoint:
    """One set of operators in float, scored on the pictures that are searched.

    Parameters
    ----------
    kept : int
        Operators in float.
    operators : tuple of str
        Names of what they write, in the ranking's order.
    miou : float
        0..1.
    drop : Interval
        Float minus this, in 0..1, with its 95 % interval.
    agreement : float
        Share of pixels labelled as float labels them, 0..1.
    latency_ms : float
        Median time of an inference on this machine.
    """

    kept: int
    operators: tuple[str, ...]
    miou: float
    drop: Interval
    agreement: float
    latency_ms: float

    def to_dict(self) -> Json:
        """Return JSON values."""
        return {
            **asdict(self),
            "drop": self.drop.difference,
            "low": self.drop.low,
            "high": self.drop.high,
        }


@dataclass(frozen=True)
class Verification:
    """The chosen set on the pictures that nothing was chosen on.

    Parameters
    ----------
    images : int
        Their number.
    met : bool
        Whether no more is lost than allowed.
    reference_miou : float
        Of the float model, 0..1.
    miou : float
        Of the chosen model, 0..1.
    drop : Interval
        Float minus this, in 0..1, with its 95 % interval.
    agreement : float
        Share of pixels labelled as float labels them, 0..1.
    """

    images: int
    met: bool
    reference_miou: float
    miou: float
    drop: Interval
    agreement: float

    def to_dict(self) -> Json:
        """Return JSON values."""
        return {
            "images": self.images,
            "met": self.met,
            "float": {"miou": self.reference_miou},
            "result": {"miou": self.miou},
            "drop": self.drop.difference,
            "low": self.drop.low,
            "high": self.drop.high,
            "agreement": self.agreement,
        }


@dataclass(frozen=True)
class Budget:
    """The result of the search.

    Parameters
    ----------
    max_drop : float
        What mIoU may lose, 0..1.
    met : bool
        Whether it was met on both halves of the pictures.
    reason : str
        One line that says why.
    images : int
        Pictures that were searched on.
    classes : tuple of str
        What means are taken over.
    reference_miou : float
        Of the float model on the pictures searched, 0..1.
    ranking : Sensitivity or None
        The operators, the dearest first; None where nothing had to be searched.
    curve : tuple of SearchPoint
        Everything tried, by operators kept.
    chosen : SearchPoint or None
        The fewest operators that met it on the pictures searched.
    verification : Verification or None
        Of what was chosen.
    content : bytes or None
        The quantized model; None unless met.
    """

    max_drop: float
    met: bool
    reason: str
    images: int
    classes: tuple[str, ...]
    reference_miou: float
    ranking: Sensitivity | None
    curve: tuple[SearchPoint, ...]
    chosen: SearchPoint | None = None
    verification: Verification | None = None
    content: bytes | None = field(default=None, repr=False)

    def to_dict(self) -> Json:
        """Return JSON values; the model itself is not among them."""
        chosen, verification = self.chosen, self.verification
        return {
            "max_drop": self.max_drop,
            "met": self.met,
            "reason": self.reason,
            "images": self.images,
            "classes": list(self.classes),
            "reference_miou": self.reference_miou,
            "curve": [point.to_dict() for point in self.curve],
            "chosen": None if chosen is None else chosen.kept,
            "verification": None if verification is None else verification.to_dict(),
            "ranking": None if self.ranking is None else self.ranking.to_dict(),
        }


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
    text = (
        f"With {budget.chosen.kept} of {count} operators in float, "
        f"{lost(budget.chosen.drop)} on the {budget.images} pictures searched"
    )
    checked = budget.verification
    if checked is None:
        return f"{text}; not verified."
    verified = f"{lost(checked.drop)} on the {checked.images} others"
    if checked.met:
        return f"{text}, {verified}: both within the {allowed}."
    return (
        f"{text}, but {verified}: over the {allowed}. Nothing is tuned on the second "
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
