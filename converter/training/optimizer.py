"""AdamW with a rate for each weight, and how that rate changes over a training.

What is learnt already takes small steps, new layers take large ones.

References
----------
I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.converter.frameworks import KerasClass, KerasOptimizer, KerasTensor

POWER = 0.9  # of the poly schedule of DeepLab
# Adam's first steps are as long in every weight, whatever its gradient: without a rise
# of the rate they undo a decoder that started out right
_WARM_UP, _LEAST_WARM_UP, _LONGEST_WARM_UP = 0.05, 50, 500
_KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")


def rated_adamw(
    factors: Mapping[str, float], *, weight_decay: float, clip_norm: float
) -> KerasOptimizer:
    """Return an optimizer on any Keras backend.

    Parameters
    ----------
    factors : mapping of str to float
        By a variable's path, what its steps are multiplied by; 1 for others.
    weight_decay : float
        Decay of kernels, times the rate; biases and norms have none.
    clip_norm : float
        Largest norm of all gradients together.

    Returns
    -------
    keras.optimizers.Optimizer
        Its ``learning_rate`` is to be set before each step.
    """
    return _rated_adamw_class()(factors, weight_decay, clip_norm)


@cache
def _rated_adamw_class() -> KerasClass:
    keras = need("keras")
    base: KerasClass = keras.optimizers.Adam

    class RatedAdamW(base):  # type: ignore[misc]
        """Adam, each variable with a factor and kernels with decay."""

        def __init__(
            self, factors: Mapping[str, float], decay: float, clip_norm: float
        ) -> None:
            super().__init__(learning_rate=0.0, global_clipnorm=clip_norm)
            self._factors = dict(factors)
            self._decay = decay

        def build(self, variables: list[KerasTensor]) -> None:
            """Look up each variable's factor and decay, in the variables' order.

            Some backends step on a variable of their own, which has no path.
            """
            paths = [variable.path for variable in variables]
            self._own = [
                (
                    self._factors.get(path, 1.0),
                    self._decay if path.rsplit("/", 1)[-1] in _KERNELS else 0.0,
                )
                for path in paths
            ]
            super().build(variables)

        def update_step(
            self,
            gradient: KerasTensor,
            variable: KerasTensor,
            learning_rate: KerasTensor,
        ) -> None:
            """Decay, then step, at the variable's own rate."""
            factor, decay = self._own[self._get_variable_index(variable)]
            rate = learning_rate * factor
            if decay:
                shrink = keras.ops.cast(rate * decay, variable.dtype)
                self.assign_sub(variable, variable * shrink)
            super().update_step(gradient, variable, rate)

    return RatedAdamW


def rate_share(step: int, passed: float, *, shape: str, warm_up: int) -> float:
    """Return the share of the full rate at a step, 0..1.

    Parameters
    ----------
    step : int
        Steps taken.
    passed : float
        How much of the training is over, 0..1.
    shape : {"poly", "cosine"}
        How it falls to 0.
    warm_up : int
        Steps that it rises for.

    Examples
    --------
    >>> rate_share(50, 0.5, shape="cosine", warm_up=0)
    0.5
    >>> rate_share(1, 0.01, shape="poly", warm_up=4) < 0.5
    True
    """
    rise = min(1.0, (step + 1) / (warm_up + 1))
    return rise * SHAPES[shape](passed)


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
