"""How far a training is: by its steps, or by the clock.

A number of steps is known beforehand. A number of minutes is not: another program on
the machine makes steps slower, and its end makes them faster. So where minutes are
given, the learning rate follows the time that has passed, and the training ends when
the next step would be late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

_FIRST_STEPS = 3  # while the graph is being traced
_RECENT = 20  # steps that the speed is of
_LEAST_TOTAL = 100  # assumed steps in all, until one has been timed
_VALIDATING = 0.1  # largest share of the time that goes into validations


@dataclass(frozen=True)
class Spent:
    """What a training has taken until now.

    Parameters
    ----------
    steps : int
        Taken.
    seconds : float
        Since the training began, earlier parts included.
    validation_s : float
        Of the last validation.
    """

    steps: int
    seconds: float
    validation_s: float


class Schedule(Protocol):
    """When a training ends, and how far it is until then."""

    def share(self, spent: Spent) -> float:
        """Return how much of the training is over, 0..1."""

    def total(self, spent: Spent) -> int:
        """Return how many steps there are in all, as far as one can say now."""

    def over(self, spent: Spent) -> bool:
        """Return whether the last step has been taken."""

    def worth_validating(self, spent: Spent, since_s: float) -> bool:
        """Return whether to validate, so many seconds after the last validation."""

    def took(self, step_s: float) -> None:
        """Take note of how long a step took."""


@dataclass(frozen=True)
class BySteps:
    """So many steps.

    Parameters
    ----------
    steps : int
        In all.

    Examples
    --------
    >>> BySteps(200).share(Spent(50, 9.0, 0.0))
    0.25
    """

    steps: int

    def share(self, spent: Spent) -> float:
        """Return the share of the steps that are taken."""
        return min(1.0, spent.steps / max(self.steps, 1))

    def total(self, spent: Spent) -> int:
        """Return the number of steps."""
        return self.steps

    def over(self, spent: Spent) -> bool:
        """Return whether all are taken."""
        return spent.steps >= self.steps

    def worth_validating(self, spent: Spent, since_s: float) -> bool:
        """Return True: who counts epochs wants to see each."""
        return True

    def took(self, step_s: float) -> None:
        """Do nothing: time does not matter."""


class ByClock:
    """So many seconds, the last validation included.

    Parameters
    ----------
    seconds : float
        In all.
    most : BySteps or None
        End after so many steps, if they are taken before.
    """

    def __init__(self, seconds: float, most: BySteps | None = None) -> None:
        self._seconds = seconds
        self._most = most
        self._timed: list[float] = []
        self._untimed = _FIRST_STEPS

    @property
    def _step_s(self) -> float | None:
        """Seconds of a step lately, once there is one that means something."""
        return sum(self._timed) / len(self._timed) if self._timed else None

    def share(self, spent: Spent) -> float:
        """Return the share of the time for steps that has passed."""
        room = max(self._seconds - spent.validation_s, 1e-9)
        passed = 0.0 if self._most is None else self._most.share(spent)
        return min(1.0, max(passed, spent.seconds / room))

    def total(self, spent: Spent) -> int:
        """Return the steps taken and those that fit the rest at the speed of late."""
        step_s, left = self._step_s, self._left(spent)
        if step_s is None:
            fitting = max(spent.steps + 1, _LEAST_TOTAL)
        else:
            fitting = spent.steps + max(0, round(left / step_s))
        return fitting if self._most is None else min(fitting, self._most.steps)

    def over(self, spent: Spent) -> bool:
        """Return whether less than half of one more step fits; one is always taken."""
        if self._most is not None and self._most.over(spent):
            return True
        return spent.steps > 0 and self._left(spent) < (self._step_s or 0.0) / 2

    def worth_validating(self, spent: Spent, since_s: float) -> bool:
        """Return whether validations stay a small part of the time."""
        return spent.validation_s <= _VALIDATING * (since_s + spent.validation_s)

    def took(self, step_s: float) -> None:
        """Take note of how long a step took; the first ones build the graph."""
        if self._untimed:
            self._untimed -= 1
        else:
            self._timed = [*self._timed, step_s][-_RECENT:]

    def _left(self, spent: Spent) -> float:
        return self._seconds - spent.validation_s - spent.seconds
