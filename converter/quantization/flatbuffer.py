"""A TFLite flatbuffer taken apart and put together again.

The tables are those of the TensorFlow Lite schema, as ai-edge-litert's generated
object classes hold them; models here have one subgraph.

References
----------
TensorFlow Lite schema, ``tensorflow/compiler/mlir/lite/schema/schema.fbs``.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.devices import ConversionError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from edgeseg.converter.frameworks import FlatOperator, FlatTable
    from edgeseg.devices.types import Array, Module

_UTILS = "ai_edge_litert.tools.flatbuffer_utils"
_DTYPES = {
    "FLOAT32": "float32",
    "INT8": "int8",
    "UINT8": "uint8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FLOAT16": "float16",
    "BOOL": "bool",
}


class FlatModel:
    """A TFLite model whose operators and tensors may be changed.

    Parameters
    ----------
    content : bytes
        A flatbuffer with one subgraph; it is copied.
    """

    def __init__(self, content: bytes) -> None:
        utils = need(_UTILS)
        self.model: FlatTable = utils.read_model_from_bytearray(bytearray(content))
        _as_arrays(self.model.buffers)
        if len(self.model.subgraphs) != 1:
            raise ConversionError(
                f"expected a TFLite model of one subgraph, got "
                f"{len(self.model.subgraphs)}: loops and branches cannot be converted"
            )
        self.graph: FlatTable = self.model.subgraphs[0]

    def to_bytes(self) -> bytes:
        """Return the flatbuffer; what nothing refers to is left out.

        Readers of different versions number empty buffers differently: here buffer 0
        is the empty one, as the schema has it, and the others follow in the order in
        which they are used, so that equal models have equal bytes.
        """
        self._number_buffers()
        return bytes(need(_UTILS).convert_object_to_bytearray(self.model))

    def kind(self, operator: FlatOperator) -> str:
        """Return an operator's name in the schema, such as ``CONV_2D``."""
        code = self.model.operatorCodes[operator.opcodeIndex]
        return _operator_names()[max(code.builtinCode, code.deprecatedBuiltinCode)]

    def tensor(self, index: int) -> FlatTable:
        """Return a tensor of the schema by its index."""
        return self.graph.tensors[index]

    def name(self, index: int) -> str:
        """Return a tensor's name."""
        return str(self.graph.tensors[index].name.decode("utf-8", "replace"))

    def shape(self, index: int) -> tuple[int, ...]:
        """Return a tensor's shape."""
        shape = self.graph.tensors[index].shape
        return () if shape is None else tuple(int(length) for length in shape)

    def dtype(self, index: int) -> str:
        """Return a tensor's element type by its NumPy name."""
        number = self.graph.tensors[index].type
        return _DTYPES.get(_type_names()[number], _type_names()[number].lower())

    def quantization(self, index: int) -> tuple[float, int]:
        """Return scale and zero point of a tensor; (0, 0) where it has none."""
        parameters = self.graph.tensors[index].quantization
        if parameters is None or parameters.scale is None or not len(parameters.scale):
            return 0.0, 0
        return float(parameters.scale[0]), int(parameters.zeroPoint[0])

    def constant(self, index: int) -> Array | None:
        """Return the values of a constant tensor, or None for an activation."""
        import numpy as np

        if index < 0:
            return None
        data = self.model.buffers[self.graph.tensors[index].buffer].data
        if data is None or not len(data):
            return None
        values = np.frombuffer(bytes(bytearray(data)), self.dtype(index))
        return values.reshape(self.shape(index))

    def set_constant(self, index: int, values: Array) -> None:
        """Store values of the tensor's own dtype and shape."""
        import numpy as np

        raw = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self.model.buffers[self.graph.tensors[index].buffer].data = raw

    def set_dtype(self, index: int, dtype: str) -> None:
        """Give an activation another element type, by its NumPy name."""
        self.graph.tensors[index].type = _type_number(dtype)

    def set_quantization(
        self, index: int, scale: ArrayLike, zero_point: ArrayLike, axis: int = 0
    ) -> None:
        """Give a tensor scales and zero points, one or one a channel."""
        import numpy as np

        parameters = _schema().QuantizationParametersT()
        parameters.scale = np.atleast_1d(np.asarray(scale, np.float32))
        parameters.zeroPoint = np.atleast_1d(np.asarray(zero_point, np.int64))
        parameters.quantizedDimension = axis
        self.graph.tensors[index].quantization = parameters

    def add_tensor(self, name: str, shape: tuple[int, ...], dtype: str) -> int:
        """Add an activation and return its index."""
        tensor = _schema().TensorT()
        tensor.name = name.encode()
        tensor.shape = list(shape)
        tensor.type = _type_number(dtype)
        tensor.buffer = 0  # by the schema always the empty buffer
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def add_constant(self, name: str, values: Array) -> int:
        """Add a constant tensor and return its index."""
        index = self.add_tensor(name, values.shape, values.dtype.name)
        self.model.buffers.append(_schema().BufferT())
        self.graph.tensors[index].buffer = len(self.model.buffers) - 1
        self.set_constant(index, values)
        return index

    def operator(
        self,
        kind: str,
        inputs: list[int],
        outputs: list[int],
        options: FlatTable = None,
    ) -> FlatOperator:
        """Return a new operator, not yet placed among the others.

        Parameters
        ----------
        kind : str
            Name in the schema.
        inputs, outputs : list of int
            Tensor indices.
        options : object or None
            The schema's options table for it, such as ``ArgMaxOptionsT``.
        """
        schema = _schema()
        made = schema.OperatorT()
        made.opcodeIndex = self._opcode(kind)
        made.inputs, made.outputs = inputs, outputs
        if options is not None:
            name = type(options).__name__[:-1]  # ArgMaxOptionsT -> ArgMaxOptions
            made.builtinOptionsType = getattr(schema.BuiltinOptions, name)
            made.builtinOptions = options
        return made

    def set_output(self, index: int) -> None:
        """Make a tensor the model's one output, in the signature too."""
        self.graph.outputs = [index]
        for signature in self.model.signatureDefs or []:
            for entry in signature.outputs:
                entry.tensorIndex = index

    def set_input(self, index: int) -> None:
        """Make a tensor the model's one input, in the signature too."""
        self.graph.inputs = [index]
        for signature in self.model.signatureDefs or []:
            for entry in signature.inputs:
                entry.tensorIndex = index

    def set_metadata(self, name: str, content: bytes) -> None:
        """Store an entry of metadata; one of the same name is replaced."""
        import numpy as np

        schema = _schema()
        entry, buffer = schema.MetadataT(), schema.BufferT()
        entry.name, entry.buffer = name.encode(), len(self.model.buffers)
        buffer.data = np.frombuffer(content, np.uint8)
        self.model.buffers.append(buffer)
        others = [e for e in self.model.metadata or () if e.name != entry.name]
        self.model.metadata = [*others, entry]

    def order_tensors(self) -> None:
        """Put tensors in the order in which operators name them; drop all others."""
        seen = [*map(int, self.graph.inputs)]
        for operator in self.graph.operators:
            seen += [int(i) for i in (*operator.inputs, *operator.outputs) if i >= 0]
        seen += map(int, self.graph.outputs)
        order = list(dict.fromkeys(seen))
        numbers = {old: new for new, old in enumerate(order)}
        numbers[-1] = -1  # an input that is left out
        self.graph.tensors = [self.graph.tensors[old] for old in order]
        for user in (self.graph, *self.graph.operators):
            user.inputs = [numbers[int(i)] for i in user.inputs]
            user.outputs = [numbers[int(i)] for i in user.outputs]
        for signature in self.model.signatureDefs or []:
            for entry in (*signature.inputs, *signature.outputs):
                entry.tensorIndex = numbers[entry.tensorIndex]

    def producers(self) -> dict[int, FlatOperator]:
        """Return the operator that writes each tensor."""
        return {int(t): o for o in self.graph.operators for t in o.outputs}

    def consumers(self, index: int) -> list[FlatOperator]:
        """Return the operators that read a tensor."""
        return [o for o in self.graph.operators if index in list(o.inputs)]

    def _number_buffers(self) -> None:
        held = self.model.buffers
        kept = [_schema().BufferT()]
        numbers: dict[int, int] = {}
        for user in [*self.graph.tensors, *(self.model.metadata or ())]:
            data = held[user.buffer].data
            if data is None or not len(data):
                user.buffer = 0
                continue
            if user.buffer not in numbers:
                numbers[user.buffer] = len(kept)
                kept.append(held[user.buffer])
            user.buffer = numbers[user.buffer]
        self.model.buffers = kept

    def _opcode(self, kind: str) -> int:
        schema = _schema()
        number = getattr(schema.BuiltinOperator, kind)
        for place, code in enumerate(self.model.operatorCodes):
            if max(code.builtinCode, code.deprecatedBuiltinCode) == number:
                return place
        code = schema.OperatorCodeT()
        code.builtinCode = number
        code.deprecatedBuiltinCode = min(number, 127)  # the older, one-byte field
        code.version = 1
        self.model.operatorCodes.append(code)
        return len(self.model.operatorCodes) - 1


def _as_arrays(buffers: list[FlatOperator]) -> None:
    """Make every buffer an array: a bytearray would be packed byte by byte."""
    import numpy as np

    for buffer in buffers:
        if isinstance(buffer.data, (bytes, bytearray)):
            buffer.data = np.frombuffer(buffer.data, np.uint8)


def _schema() -> Module:
    return need("ai_edge_litert.schema_py_generated")


@functools.cache
def _operator_names() -> dict[int, str]:
    return _numbers_to_names(_schema().BuiltinOperator)


@functools.cache
def _type_names() -> dict[int, str]:
    return _numbers_to_names(_schema().TensorType)


def _type_number(dtype: str) -> int:
    names = {number: name for name, number in _DTYPES.items()}
    return int(getattr(_schema().TensorType, names[dtype]))


def _numbers_to_names(table: type) -> dict[int, str]:
    return {v: k for k, v in vars(table).items() if not k.startswith("_")}
