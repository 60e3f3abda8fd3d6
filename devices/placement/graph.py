"""A model as operators and the tensors between them.

How much an operator computes and moves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.devices.types import Array, Untyped


_BYTES = {
    "float32": 4,
    "float16": 2,
    "int8": 1,
    "uint8": 1,
    "int16": 2,
    "int32": 4,
    "int64": 8,
    "float64": 8,
    "bool": 1,
}


@dataclass(frozen=True)
class Tensor:
    """A tensor of a model.

    Parameters
    ----------
    name : str
        In the file.
    shape : tuple of int
        As the interpreter would allocate it.
    dtype : str
        NumPy name; the schema's in lower case where NumPy has none.
    fixed : bool
        Whether every side is known beforehand.
    data : NDArray of uint8 or None
        The stored bytes of a constant; None for an activation.
    zero_points : tuple of int
        Least and greatest of its quantization; empty for what is not quantized.
    scales : tuple of float
        Least and greatest step of its quantization; empty for what is not quantized.
    steps : int
        How many steps it has: 1, or one a channel; 0 for what is not quantized.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    fixed: bool
    data: Array | None
    zero_points: tuple[int, ...]
    scales: tuple[float, ...] = ()
    steps: int = 0

    @property
    def constant(self) -> bool:
        """Whether the file holds its values."""
        return self.data is not None

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """How much memory it takes, in bytes; a 4-bit weight counts as one."""
        return self.elements * _BYTES.get(self.dtype, 1)

    def values(self) -> Array:
        """Return the values of a constant, of its shape.

        Raises
        ------
        ModelError
            The file does not hold as many as the shape needs.
        """
        import numpy as np

        assert self.data is not None  # the caller asks constants alone
        if len(self.data) != self.bytes:
            raise ModelError(
                f"tensor {self.name!r} holds {len(self.data)} bytes, its shape needs "
                f"{self.bytes}: the model is damaged"
            )
        return np.frombuffer(self.data.tobytes(), self.dtype).reshape(self.shape)


@dataclass(frozen=True)
class Operator:
    """An operator of a model.

    Parameters
    ----------
    index : int
        Place in the order of execution, from 0.
    kind : str
        Name in the schema, such as ``CONV_2D``; a custom operator's own name.
    inputs, outputs : tuple of int
        Tensor indices; -1 stands for an input that is left out.
    options : Mapping
        By the schema's names, such as ``strideW``.
    """

    index: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Untyped]


@dataclass(frozen=True)
class ModelGraph:
    """A model of one subgraph.

    Parameters
    ----------
    tensors : tuple of Tensor
        All of them.
    operators : tuple of Operator
        In the order of execution.
    inputs, outputs : tuple of int
        Tensor indices of the model's own.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def read(self, operator: Operator) -> tuple[Tensor, ...]:
        """Return the tensors that an operator reads."""
        return tuple(self.tensors[t] for t in operator.inputs if t >= 0)

    def written(self, operator: Operator) -> tuple[Tensor, ...]:
        """Return the tensors that an operator writes."""
        return tuple(self.tensors[t] for t in operator.outputs if t >= 0)

    def activations(self, operator: Operator) -> tuple[Tensor, ...]:
        """Return the tensors of an operator that are computed, inputs first."""
        read = tuple(t for t in self.read(operator) if not t.constant)
        return read + self.written(operator)

    def producers(self) -> dict[int, Operator]:
        """Return the operator that writes each tensor."""
        return {t: op for op in self.operators for t in op.outputs}

    def consumers(self, tensor: int) -> tuple[Operator, ...]:
        """Return the operators that read a tensor."""
        return tuple(op for op in self.operators if tensor in op.inputs)


def macs(graph: ModelGraph, operator: Operator) -> int:
    """Return the multiplications with weights, each followed by an addition.

    As papers count them: convolutions and matrix products. Resizing, activations and
    additions count as none; their cost is in the bytes that they move.

    Parameters
    ----------
    graph : ModelGraph
        The model.
    operator : Operator
        One of its operators.
    """
    made = sum(tensor.elements for tensor in graph.written(operator))
    read = [graph.tensors[t] if t >= 0 else None for t in operator.inputs]
    weights = read[1].shape if len(read) > 1 and read[1] is not None else ()
    if operator.kind == "CONV_2D" and len(weights) == 4:  # (O, h, w, I)
        return made * weights[1] * weights[2] * weights[3]
    if operator.kind == "DEPTHWISE_CONV_2D" and len(weights) == 4:  # (1, h, w, O)
        return made * weights[1] * weights[2]
    if operator.kind == "TRANSPOSE_CONV" and len(read) > 2 and read[2] is not None:
        # every input cell is spread over a window of every output channel
        return read[2].elements * weights[0] * weights[1] * weights[2]
    if operator.kind == "FULLY_CONNECTED" and weights:
        return made * weights[-1]
    if operator.kind == "BATCH_MATMUL" and read and read[0] is not None:
        shape = read[0].shape
        return made * shape[-2 if operator.options.get("adjX") else -1]
    if operator.kind == "UNIDIRECTIONAL_SEQUENCE_LSTM" and read[0] is not None:
        steps = read[0].elements // max(read[0].shape[-1], 1)
        matrices = [t for t in read if t is not None and t.constant]
        return steps * sum(t.elements for t in matrices if len(t.shape) == 2)
    return 0


def moved_bytes(graph: ModelGraph, operator: Operator) -> int:
    """Return the bytes that an operator reads, weights included, and writes."""
    tensors = graph.read(operator) + graph.written(operator)
    return sum(tensor.bytes for tensor in tensors)
