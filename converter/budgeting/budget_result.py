"""What the search for an accuracy budget tried and found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgeseg.converter.budgeting.sensitivity import Sensitivity
    from edgeseg.runtime.accuracy.bootstrap import Interval


@dataclass(frozen=True)
class Point:
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

    def to_dict(self) -> dict[str, Any]:
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

    def to_dict(self) -> dict[str, Any]:
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
    """What the search found.

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
    curve : tuple of Point
        Everything tried, by operators kept.
    chosen : Point or None
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
    curve: tuple[Point, ...]
    chosen: Point | None = None
    verification: Verification | None = None
    content: bytes | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
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
