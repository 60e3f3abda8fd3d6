"""An ``.onnx`` file's tensors, operators and texts, read without the package `onnx`.

An ONNX model is a protocol-buffer message whose outer fields have stayed the same
since its first version, so that a board needs neither that package nor an inference
session to see what a file is. The numbers below are those of ``onnx.proto``
(github.com/onnx/onnx).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import ModelError, TensorSpec
from edgeseg.devices.onnx import read_onnx_model
from edgeseg.runtime.model.graph import OperatorSummary
from edgeseg.runtime.model.protobuf import MalformedError, Message, bytes_field, split

if TYPE_CHECKING:
    from pathlib import Path

_IR_VERSION, _PRODUCER, _PRODUCER_VERSION = 1, 2, 3  # of ModelProto
_GRAPH, _OPSETS, _TEXTS = 7, 8, 14
_NODE, _WEIGHT, _INPUT, _OUTPUT, _INNER = 1, 5, 11, 12, 13  # of GraphProto
_WRITTEN, _OPERATOR = 2, 4  # of NodeProto
_WEIGHT_NAME = 8  # of TensorProto
_OWN_DOMAIN = ("", "ai.onnx")  # of ONNX' own operators
_DTYPES = {  # TensorProto.DataType
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
}


@dataclass(frozen=True)
class OnnxFile(OperatorSummary):
    """An `OperatorSummary`, and what ``.onnx`` files hold besides.

    Parameters
    ----------
    opset, ir_version : int
        Versions of ONNX' own operators and of the format.
    producer : str
        Name and version of the exporter.
    """

    opset: int
    ir_version: int
    producer: str


def read_onnx(path: Path) -> OnnxFile:
    """Return what an ``.onnx`` file holds, without running it.

    Raises
    ------
    ModelError
        The file is missing, damaged, no ONNX model, or one of its inputs and outputs
        has no fixed shape.
    """
    content = read_onnx_model(path)
    try:
        model = Message(content)
        graphs = model.messages(_GRAPH)
        if not graphs:
            raise MalformedError("it holds no graph")
        return _described(path, model, graphs[-1])
    except MalformedError as error:
        raise ModelError(
            f"{path} cannot be read as an ONNX model (truncated or damaged?): {error}"
        ) from error


def read_texts(path: Path) -> dict[str, str]:
    """Return an ``.onnx`` file's ``metadata_props``; empty where it cannot be read.

    What is wrong with such a file is reported when it is opened to be run.
    """
    try:
        entries = Message(path.read_bytes()).messages(_TEXTS)
        return {entry.text(1): entry.text(2) for entry in entries}
    except (OSError, MalformedError):
        return {}


def with_text(model: bytes, key: str, text: str) -> bytes:
    """Return an ONNX model with one of its ``metadata_props`` set.

    Parameters
    ----------
    model : bytes
        An ONNX model; an entry of that key is replaced, all else stays as it is.
    key, text : str
        Name and value.
    """
    kept = [
        bytes(whole)
        for number, value, whole in split(model)
        if number != _TEXTS or isinstance(value, int) or Message(value).text(1) != key
    ]
    entry = bytes_field(1, key.encode()) + bytes_field(2, text.encode())
    return b"".join([*kept, bytes_field(_TEXTS, entry)])


def _described(path: Path, model: Message, graph: Message) -> OnnxFile:
    weights = {weight.text(_WEIGHT_NAME) for weight in graph.messages(_WEIGHT)}
    inputs = [t for t in graph.messages(_INPUT) if t.text(1) not in weights]
    nodes = graph.messages(_NODE)
    producer = (model.text(_PRODUCER), model.text(_PRODUCER_VERSION))
    return OnnxFile(
        inputs=tuple(_spec(path, tensor) for tensor in inputs),
        outputs=tuple(_spec(path, tensor) for tensor in graph.messages(_OUTPUT)),
        operators=dict(Counter(node.text(_OPERATOR) for node in nodes).most_common()),
        activations=_activations(graph, nodes),
        opset=max(
            (
                entry.number(2)
                for entry in model.messages(_OPSETS)
                if entry.text(1) in _OWN_DOMAIN
            ),
            default=0,
        ),
        ir_version=model.number(_IR_VERSION),
        producer=" ".join(filter(None, producer)),
    )


def _spec(path: Path, tensor: Message) -> TensorSpec:
    name, (dtype, shape) = tensor.text(1), _type(tensor)
    lengths = tuple(n for n in shape if isinstance(n, int) and 0 < n < 1 << 31)
    if dtype is None or len(lengths) != len(shape):
        raise ModelError(
            f"{path}: tensor {name!r} must have a fixed shape and a number type, got "
            f"{dtype or 'another type'} {list(shape)}: export it with a fixed size"
        )
    return TensorSpec(name, lengths, dtype)


def _type(tensor: Message) -> tuple[str | None, list[int | str]]:
    """Return dtype and shape of a ValueInfoProto; a length without number is named."""
    for kind in tensor.messages(2):
        for tensor_type in kind.messages(1):
            shapes = tensor_type.messages(2)
            dimensions = [d for shape in shapes for d in shape.messages(1)]
            lengths = [d.number(1) if 1 in d else d.text(2) or "?" for d in dimensions]
            return _DTYPES.get(tensor_type.number(1)), lengths
    return None, []


def _activations(graph: Message, nodes: list[Message]) -> dict[str, tuple[str, ...]]:
    typed = (*graph.messages(_INNER), *graph.messages(_OUTPUT))
    dtypes = {tensor.text(1): _type(tensor)[0] for tensor in typed}
    written: dict[str, list[str]] = {}
    for node in nodes:
        for name in filter(None, node.texts(_WRITTEN)):
            written.setdefault(dtypes.get(name) or "unknown", []).append(name)
    return {dtype: tuple(names) for dtype, names in sorted(written.items())}
