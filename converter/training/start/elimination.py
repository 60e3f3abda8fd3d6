"""Inputs that a linear layer can do without, and the weights of those that stay.

References
----------
B. Hassibi and D. Stork, "Second order derivatives for network pruning: Optimal Brain
Surgeon", NeurIPS 1992: here for a layer whose squared error is exactly quadratic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DAMPING = 1e-4  # of the mean square of an input


@dataclass(frozen=True)
class Elimination:
    """What is left of a linear layer.

    Parameters
    ----------
    stay : ndarray
        Indices of the inputs that are left, ascending.
    weights : ndarray
        ``(C + 1, out)`` float64: 0 for inputs that are gone; the others changed so that
        the mean square of the change of the output is least.
    costs : ndarray
        By how much that mean square rose with each input that went.
    """

    stay: NDArray[np.int64]
    weights: NDArray[np.float64]
    costs: NDArray[np.float64]


def eliminate(
    weights: NDArray[np.float64], moment: NDArray[np.float64], count: int
) -> Elimination:
    """Take out the inputs of a linear layer that it can best do without.

    Parameters
    ----------
    weights : ndarray
        ``(C + 1, out)`` float64; the last row is the bias, which stays.
    moment : ndarray
        ``(C + 1, C + 1)`` float64, mean products of the inputs.
    count : int
        How many to take out.
    """
    import numpy as np

    last = len(weights) - 1
    damped = moment + np.eye(last + 1) * (_DAMPING * np.trace(moment) / (last + 1))
    inverse = np.linalg.inv(damped)
    weights = weights.copy()
    left = np.ones(last + 1, bool)
    left[last] = False  # not to be chosen
    costs = np.zeros(count)
    for step in range(count):
        diagonal = np.where(left, np.diag(inverse), 1)
        prices = np.where(left, (weights**2).sum(axis=1) / diagonal, np.inf)
        gone = int(prices.argmin())
        costs[step] = prices[gone]
        column = inverse[:, gone] / inverse[gone, gone]
        weights -= np.outer(column, weights[gone])
        inverse -= np.outer(column, inverse[gone])
        left[gone] = False
        weights[gone], inverse[gone], inverse[:, gone] = 0, 0, 0
    return Elimination(np.flatnonzero(left), weights, costs)
