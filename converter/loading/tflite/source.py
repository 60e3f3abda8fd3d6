"""A TFLite file as operators in a list that may be changed, and real constants.

An integer of a quantized file stands for ``scale * (integer - zero point)``: constants
are read as these real numbers, in float64 and rounded once to float32. What depends on
constants alone is computed beforehand, by the interpreter itself.

References
----------
TensorFlow Lite 8-bit quantization specification,
https://ai.google.dev/edge/litert/models/quantization_spec
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from edgeseg.devices import ModelError, TensorSpec
from edgeseg.devices.litert import open_interpreter
from edgeseg.devices.placement.reading import read_model_graph
from edgeseg.devices.plain_text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.placement.graph import ModelGraph, Operator, Tensor
    from edgeseg.devices.types import Array

# They carry values from one number format to another and change none
CONVERSIONS = ("QUANTIZE", "DEQUANTIZE", "CAST")
_FLOATS = ("float16", "float32", "float64")
_INTEGERS = {"uint8": (0, 255), "int8": (-128, 127)}
_MOST_CONSTANTS = 2**28  # bytes that constants may grow to


@dataclass
class TFLiteSource:
    """A model's operators, as far as they are still to be drawn.

    Parameters
    ----------
    path : Path
        The file, for messages.
    graph : ModelGraph
        As the file holds it.
    operators : list of Operator
        In the order of execution; rewriting changes this list.
    constants : dict of int to ndarray
        Values of the tensors that are known beforehand, as they are stored.
    """

    path: Path
    graph: ModelGraph
    operators: list[Operator]
    constants: dict[int, Array] = field(default_factory=dict)

    @cached_property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The model's inputs, as a device would name them."""
        return tuple(map(self._spec, self.graph.inputs))

    @cached_property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """The model's outputs, as a device would name them."""
        return tuple(map(self._spec, self.graph.outputs))

    @property
    def is_quantized(self) -> bool:
        """Whether an operator of the file writes integers that stand for scores."""
        return any(
            tensor.scales and tensor.dtype in (*_INTEGERS, "int16")
            for operator in self.graph.operators
            for tensor in self.graph.written(operator)
            if not tensor.constant
        )

    def tensor(self, index: int) -> Tensor:
        """Return a tensor of the file."""
        return self.graph.tensors[index]

    def real(self, index: int) -> Array | None:
        """Return the real values of a constant, None for an activation.

        Parameters
        ----------
        index : int
            Of the tensor; -1, an input that is left out, gives None.
        """
        stored = self.constants.get(index)
        if stored is None:
            return None
        tensor = self.tensor(index)
        return _real(stored, tensor)

    def producer(self, index: int) -> Operator | None:
        """Return the operator that writes a tensor."""
        return next((op for op in self.operators if index in op.outputs), None)

    def readers(self, index: int) -> list[Operator]:
        """Return the operators that read a tensor."""
        return [op for op in self.operators if index in op.inputs]

    def only_reader(self, index: int) -> Operator | None:
        """Return the operator that alone reads a tensor, None where there is none."""
        readers = self.readers(index)
        alone = len(readers) == 1 and index not in self.graph.outputs
        return readers[0] if alone else None

    def implied_activation(self, index: int) -> str | None:
        """Return the activation that the range of a quantized tensor amounts to.

        Converters of 2018 dropped ReLU and ReLU6 where the integers of the result
        cannot be below 0, or above 6, anyway.
        """
        tensor = self.tensor(index)
        if tensor.dtype not in _INTEGERS or len(tensor.scales) != 1:
            return None
        lowest, highest = _INTEGERS[tensor.dtype]
        zero_point = tensor.zero_points[0] if tensor.zero_points else 0
        if zero_point != lowest:
            return None
        scale = tensor.scales[0]
        six = abs((highest - lowest) * scale - 6) <= scale
        return "relu6" if six else "relu"

    def _spec(self, index: int) -> TensorSpec:
        tensor = self.tensor(index)
        scale = tensor.scales[0] if len(tensor.scales) == 1 else 0.0
        zero_point = tensor.zero_points[0] if scale and tensor.zero_points else 0
        return TensorSpec(tensor.name, tensor.shape, tensor.dtype, scale, zero_point)


def read_source(path: Path) -> TFLiteSource:
    """Return the operators of a file, its constants computed.

    Parameters
    ----------
    path : Path
        A ``.tflite`` file.

    Raises
    ------
    ModelError
        It is damaged, its size is open, it takes several pictures at once, or its
        constants cannot be computed.
    """
    graph = read_model_graph(path)
    for index in graph.inputs:
        shape = graph.tensors[index].shape
        if shape and shape[0] != 1:
            raise ModelError(
                f"{path} takes {shape[0]} pictures at once, its input is "
                f"{list(shape)}: export it for one picture, (1, H, W, 3)"
            )
    source = TFLiteSource(path, graph, list(graph.operators), _stored(graph))
    _compute_constants(source)
    return source


def _stored(graph: ModelGraph) -> dict[int, Array]:
    """Return the constants of the file that have a NumPy type."""
    import numpy as np

    found = {}
    for index, tensor in enumerate(graph.tensors):
        if not tensor.constant:
            continue
        try:
            np.dtype(tensor.dtype)
        except TypeError:
            continue  # strings and 4-bit integers: who reads them is not drawn
        found[index] = tensor.values()
    return found


def _compute_constants(source: TFLiteSource) -> None:
    """Take out operators whose results are the same for every picture."""
    wanted: set[int] = set()
    left = []
    for operator in source.operators:
        if not _is_constant(source, operator, wanted):
            left.append(operator)
        elif operator.kind == "DEQUANTIZE":
            (output,) = operator.outputs
            _dequantize(source, operator.inputs[0], output, wanted)
        else:
            wanted.update(operator.outputs)
    source.operators = left
    if wanted:
        source.constants.update(_run(source, sorted(wanted)))


def _is_constant(source: TFLiteSource, operator: Operator, wanted: set[int]) -> bool:
    if operator.kind == "SHAPE":
        return True  # sizes are fixed
    return all(t < 0 or t in source.constants or t in wanted for t in operator.inputs)


def _dequantize(
    source: TFLiteSource, index: int, output: int, wanted: set[int]
) -> None:
    """Compute a weight that is stored in 8 or 16 bits and used as float32."""
    import numpy as np

    if index in wanted:
        wanted.add(output)
        return
    values = source.real(index)
    assert values is not None  # its operator reads constants alone
    source.constants[output] = values.astype(np.float32)


def _run(source: TFLiteSource, wanted: list[int]) -> dict[int, Array]:
    """Return tensors that do not depend on the picture, from one run."""
    import numpy as np

    size = sum(source.tensor(index).bytes for index in wanted)
    if size > _MOST_CONSTANTS:
        raise ModelError(
            f"{source.path}: its constants would take {size} bytes: no network does"
        )
    try:
        interpreter = open_interpreter(source.path, delegate=False, keep_tensors=True)
        interpreter.allocate_tensors()
        for detail in interpreter.get_input_details():
            zeros = np.zeros(detail["shape"], detail["dtype"])
            interpreter.set_tensor(detail["index"], zeros)
        interpreter.invoke()
        return {index: interpreter.get_tensor(index) for index in wanted}
    except (ValueError, RuntimeError) as error:
        kinds = {op.kind for op in source.graph.operators if {*op.outputs} & {*wanted}}
        raise ModelError(
            f"{source.path}: what {', '.join(sorted(kinds))} makes of constants cannot "
            f"be computed ({one_line(error, 120)}): export the model with its "
            "constants folded"
        ) from error


def _real(stored: Array, tensor: Tensor) -> Array:
    """Return what stored integers stand for, other values as they are."""
    import numpy as np

    if stored.dtype.name in _FLOATS:
        return stored.astype(np.float32)
    if not tensor.scales:
        return stored
    count = len(tensor.scales)
    shape = [1] * stored.ndim
    if count > 1:
        if tensor.axis >= stored.ndim or stored.shape[tensor.axis] != count:
            raise ModelError(
                f"tensor {tensor.name!r} has {count} scales for a shape of "
                f"{list(stored.shape)}: the model is damaged"
            )
        shape[tensor.axis] = count
    scales = np.array(tensor.scales, np.float64).reshape(shape)
    zeros = np.array(tensor.zero_points or (0,), np.float64)
    zeros = zeros.reshape(shape if len(zeros) == count else [1] * stored.ndim)
    return ((stored.astype(np.float64) - zeros) * scales).astype(np.float32)
