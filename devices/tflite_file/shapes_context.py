"""An operator with its tensors, as the rules of shapes look at it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from edgeseg.devices.tflite_file.flatbuffer import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.devices.tflite_file.reading import (
        ModelFile,
        OperatorEntry,
        SubgraphEntry,
        TensorEntry,
    )

_FORMS = {"int32": ("i", 4), "int64": ("q", 8)}


class Context:
    """An operator, and what it reads and writes.

    Parameters
    ----------
    file : ModelFile
        For the values of constants.
    graph : SubgraphEntry
        For the tensors.
    operator : OperatorEntry
        One of its operators.
    """

    def __init__(
        self, file: ModelFile, graph: SubgraphEntry, operator: OperatorEntry
    ) -> None:
        self._file = file
        self._tensors = graph.tensors
        self.operator = operator
        self.options = operator.options
        self.results = len(operator.outputs)

    def read(self, place: int) -> TensorEntry | None:
        """Return an input, None where it is left out."""
        inputs = self.operator.inputs
        present = place < len(inputs) and inputs[place] >= 0
        return self._tensors[inputs[place]] if present else None

    def written(self, place: int) -> TensorEntry:
        """Return an output."""
        return self._tensors[self.operator.outputs[place]]

    def tensors(self) -> Iterator[TensorEntry]:
        """Give every tensor that it reads or writes."""
        for tensor in (*self.operator.inputs, *self.operator.outputs):
            if tensor >= 0:
                yield self._tensors[tensor]

    def shape(self, place: int) -> tuple[int, ...]:
        """Return the shape of an input that must be there."""
        tensor = self.read(place)
        if tensor is None:
            raise DamagedError(f"its input {place} is missing")
        return tensor.shape

    def shape4(self, place: int) -> tuple[int, int, int, int]:
        """Return the shape of an input of four dimensions."""
        shape = self.shape(place)
        if len(shape) != 4:
            raise DamagedError(
                f"its input {place} has the shape {list(shape)}, expected 4 dimensions"
            )
        return shape

    def constants(self, place: int) -> tuple[int, ...] | None:
        """Return the whole numbers of an input, None where they are computed."""
        tensor = self.read(place)
        if tensor is None or tensor.dtype not in _FORMS or tensor.sparsity is not None:
            return None
        values = self._file.values(tensor)
        form, size = _FORMS[tensor.dtype]
        if not values:
            return () if 0 in tensor.shape else None
        return struct.unpack_from(f"<{len(values) // size}{form}", values)
