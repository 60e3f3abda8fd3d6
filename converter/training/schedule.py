"""The learning rate over a training, as a share of its largest value.

How fast a training goes, and what fits a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

POWER = 0.9  # of the poly schedule of DeepLab
# Adam's first steps are as long in every weight, whatever its gradient: without a rise
# of the rate they undo a decoder that started out right
_WARM_UP, _LEAST_WARM_UP, _LONGEST_WARM_UP = 0.05, 50, 500


def rate_share(step: int, steps: int, *, shape: str, warm_up: int) -> float:
    """Return the share of the full rate at a step, 0..1.

    Parameters
    ----------
    step, steps : int
        Steps taken, and in all.
    shape : {"poly", "cosine"}
        How it falls to 0.
    warm_up : int
        Steps that it rises for.

    Examples
    --------
    >>> rate_share(50, 100, shape="cosine", warm_up=0)
    0.5
    >>> rate_share(1, 100, shape="poly", warm_up=4) < 0.5
    True
    """
    progress = min(1.0, step / max(steps, 1))
    rise = min(1.0, (step + 1) / (warm_up + 1))
    return rise * SHAPES[shape](progress)


def warm_up(steps: int) -> int:
    """Return how many of a run's steps the rate rises for.

    Examples
    --------
    >>> warm_up(20), warm_up(400), warm_up(4000)
    (5, 50, 200)
    """
    least = min(_LEAST_WARM_UP, steps // 4)
    return min(_LONGEST_WARM_UP, max(least, int(_WARM_UP * steps)))


def _poly(progress: float) -> float:
    return float((1 - progress) ** POWER)


def _cosine(progress: float) -> float:
    return round(0.5 * (1 + math.cos(math.pi * progress)), 12)


SHAPES: dict[str, Callable[[float], float]] = {"poly": _poly, "cosine": _cosine}


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
