"""How fast a training goes, and what fits a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """What was measured on this machine.

    Parameters
    ----------
    step_s, validation_s : float
        Seconds of a step and of a validation.
    every : int
        Steps between validations.
    """

    step_s: float
    validation_s: float
    every: int

    def seconds(self, steps: int) -> float:
        """Return what so many steps take, with their validations."""
        return steps * (self.step_s + self.validation_s / self.every)

    def fitting(self, seconds: float) -> int:
        """Return how many steps fit, 1 at least, with a last validation.

        Examples
        --------
        >>> Pace(step_s=0.5, validation_s=5.0, every=10).fitting(105.0)
        100
        """
        return max(1, int((seconds - self.validation_s) / self.seconds(1)))
