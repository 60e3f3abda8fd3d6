"""Operators and tensors, as every kind of model file lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.devices import TensorSpec


@dataclass(frozen=True)
class OperatorSummary:
    """Operators and tensors of a model.

    Parameters
    ----------
    inputs, outputs : tuple of TensorSpec
        The model's own.
    operators : dict of str to int
        How often each operator occurs, most frequent first.
    activations : dict of str to tuple of str
        Names of the tensors that operators write, by dtype; ``"unknown"`` where an
        ``.onnx`` file does not give it.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    operators: dict[str, int]
    activations: dict[str, tuple[str, ...]]
