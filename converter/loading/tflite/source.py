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

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.devices import ModelError, TensorSpec
from edgeseg.devices.litert import open_interpreter, read_model
from edgeseg.devices.placement.graph import Operator
from edgeseg.devices.placement.reading import read_model_graph
from edgeseg.devices.plain_text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.converter.frameworks import FlatTable
    from edgeseg.devices.types import Array, Untyped

# They carry values from one number format to another and change none
CONVERSIONS = ("QUANTIZE", "DEQUANTIZE", "CAST")
_FLOATS = ("float16", "float32", "float64")
_INTEGERS = {"uint8": (0, 255), "int8": (-128, 127)}
_MOST_CONSTANTS = 2**28  # bytes that constants may grow to


@dataclass(frozen=True)
class SourceTensor:
    """A tensor of the file.

    Parameters
    ----------
    name : str
        In the file.
    shape : tuple of int
        Of one picture.
    dtype : str
        NumPy name; the schema's in lower case where NumPy has none.
    scales, zero_points : tuple
        Of its quantization: one, or one for each place along `axis`; empty for none.
    axis : int
        The axis of several scales.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int = 0


@dataclass
class TFLiteSource:
    """A model's operators, as far as they are still to be drawn.

    Parameters
    ----------
    path : Path
        The file, for messages.
    tensors : tuple of SourceTensor
        All of them.
    input_indices, output_indices : tuple of int
        The model's own.
    operators : list of Operator
        In the order of execution; rewriting changes this list.
    constants : dict of int to ndarray
        Values of the tensors that are known beforehand, as they are stored.
    """

    path: Path
    tensors: tuple[SourceTensor, ...]
    input_indices: tuple[int, ...]
    output_indices: tuple[int, ...]
    operators: list[Operator]
    constants: dict[int, Array] = field(default_factory=dict)

    @cached_property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The model's inputs, as a device would name them."""
        return tuple(map(self._spec, self.input_indices))

    @cached_property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """The model's outputs, as a device would name them."""
        return tuple(map(self._spec, self.output_indices))

    @cached_property
    def is_quantized(self) -> bool:
        """Whether an operator of the file rounds what it reads or writes.

        One with integer weights rounds a float input on the way ("dynamic range").
        """
        return any(
            self._is_rounded(index)
            for operator in self.operators
            for index in (
                *operator.outputs,
                *(operator.inputs if operator.kind != "DEQUANTIZE" else ()),
            )
        )

    def _is_rounded(self, index: int) -> bool:
        if index < 0:
            return False
        tensor = self.tensor(index)
        return bool(tensor.scales) and tensor.dtype in (*_INTEGERS, "int16")

    def tensor(self, index: int) -> SourceTensor:
        """Return a tensor of the file."""
        return self.tensors[index]

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
        alone = len(readers) == 1 and index not in self.output_indices
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
    graph = read_model_graph(path)  # examines the file
    flat = FlatModel(read_model(path))
    source = TFLiteSource(
        path,
        tuple(
            _tensor(flat, index, known.name)
            for index, known in enumerate(graph.tensors)
        ),
        graph.inputs,
        graph.outputs,
        [
            Operator(op.index, op.kind, op.inputs, op.outputs, _options(table))
            for op, table in zip(graph.operators, flat.graph.operators, strict=True)
        ],
        _stored(flat),
    )
    for spec in source.inputs:
        if spec.shape and spec.shape[0] != 1:
            raise ModelError(
                f"{path} takes {spec.shape[0]} pictures at once, its input is "
                f"{list(spec.shape)}: export it for one picture, (1, H, W, 3)"
            )
    _compute_constants(source)
    return source


def _tensor(flat: FlatModel, index: int, name: str) -> SourceTensor:
    parameters = flat.tensor(index).quantization
    stored = [
        () if parameters is None or values is None else tuple(values)
        for values in (
            getattr(parameters, "scale", None),
            getattr(parameters, "zeroPoint", None),
        )
    ]
    return SourceTensor(
        name,
        flat.shape(index),
        flat.dtype(index),
        tuple(map(float, stored[0])),
        tuple(map(int, stored[1])),
        int(getattr(parameters, "quantizedDimension", 0) or 0),
    )


def _options(operator: FlatTable) -> dict[str, Untyped]:
    table = operator.builtinOptions
    return {} if table is None else dict(vars(table))


def _stored(flat: FlatModel) -> dict[int, Array]:
    """Return the constants of the file that have a NumPy type."""
    import numpy as np

    found = {}
    for index in range(len(flat.graph.tensors)):
        try:
            np.dtype(flat.dtype(index))
        except TypeError:
            continue  # strings and 4-bit integers: who reads them is not drawn
        values = flat.constant(index)
        if values is not None:
            found[index] = values
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

    size = sum(8 * math.prod(source.tensor(index).shape) for index in wanted)
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
        raise ModelError(
            f"{source.path}: what its operators make of constants cannot be computed "
            f"({one_line(error, 120)}): export the model with its constants folded"
        ) from error


def _real(stored: Array, tensor: SourceTensor) -> Array:
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
