"""AdamW with a rate for each weight: small steps for what is learnt, large for new.

References
----------
I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from edgeseg.converter.frameworks import need

if TYPE_CHECKING:
    from collections.abc import Mapping

_KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")


def rated_adamw(
    factors: Mapping[str, float], *, weight_decay: float, clip_norm: float
) -> Any:
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
def _rated_adamw_class() -> Any:
    keras = need("keras")
    base: Any = keras.optimizers.Adam

    class RatedAdamW(base):  # type: ignore[misc]
        """Adam, each variable with a factor and kernels with decay."""

        def __init__(
            self, factors: Mapping[str, float], decay: float, clip_norm: float
        ) -> None:
            super().__init__(learning_rate=0.0, global_clipnorm=clip_norm)
            self._factors = dict(factors)
            self._decay = decay

        def build(self, variables: list[Any]) -> None:
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

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            """Decay, then step, at the variable's own rate."""
            factor, decay = self._own[self._get_variable_index(variable)]
            rate = learning_rate * factor
            if decay:
                shrink = keras.ops.cast(rate * decay, variable.dtype)
                self.assign_sub(variable, variable * shrink)
            super().update_step(gradient, variable, rate)

    return RatedAdamW
