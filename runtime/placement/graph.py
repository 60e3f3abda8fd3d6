"""A model as operators and the tensors between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

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
        Of its quantization; empty for what is not quantized.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    fixed: bool
    data: NDArray[Any] | None
    zero_points: tuple[int, ...]

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

    def values(self) -> NDArray[Any]:
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
    options: Mapping[str, Any]


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
