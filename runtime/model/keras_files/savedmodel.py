"""A SavedModel folder: TensorFlow's graph and, by name, what it takes.

The numbers are those of TensorFlow's ``saved_model.proto`` and ``meta_graph.proto``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import ModelError
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.model.keras_files.network import KerasDescription
from edgeseg.runtime.model.protobuf import MalformedError, Message

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json

_META_GRAPHS = 2  # of SavedModel
_META, _SIGNATURES = 1, 5  # of MetaGraphDef
_TENSORFLOW = 5  # of MetaInfoDef
_KEY, _VALUE = 1, 2  # of an entry of a map
_INPUTS = 1  # of SignatureDef
_DTYPE, _SHAPE = 2, 3  # of TensorInfo
_LENGTHS, _LENGTH = 2, 1  # of TensorShapeProto, and of one length
_SERVING = "serving_default"
_DTYPES = {1: "float32", 3: "int32", 4: "uint8", 6: "int8", 9: "int64", 19: "float16"}


def read_savedmodel(path: Path) -> KerasDescription:
    """Return the version and the serving signature's inputs of a ``saved_model.pb``.

    Raises
    ------
    ModelError
        It is damaged.
    """
    try:
        graphs = Message(path.read_bytes()).messages(_META_GRAPHS)
        if not graphs:
            raise MalformedError("it holds no graph")
        version = [meta.text(_TENSORFLOW) for meta in graphs[0].messages(_META)]
        inputs = _inputs(graphs[0])
    except OSError as error:
        raise ModelError(f"cannot read model {path}: {reason_of(error)}") from error
    except MalformedError as error:
        raise ModelError(f"{path} is damaged or truncated: {error}") from error
    return KerasDescription(
        "savedmodel", "model", tensorflow="".join(version) or None, inputs=tuple(inputs)
    )


def _inputs(graph: Message) -> list[Json]:
    signatures = {e.text(_KEY): e.messages(_VALUE) for e in graph.messages(_SIGNATURES)}
    return [
        _input(entry.text(_KEY), tensor)
        for signature in signatures.get(_SERVING, ())
        for entry in signature.messages(_INPUTS)
        for tensor in entry.messages(_VALUE)
    ]


def _input(name: str, tensor: Message) -> Json:
    lengths = [
        length.number(_LENGTH)
        for shape in tensor.messages(_SHAPE)
        for length in shape.messages(_LENGTHS)
    ]
    return {
        "name": name,
        # an open length is -1, which is a large number without its sign
        "shape": [length if length < 1 << 63 else None for length in lengths],
        "dtype": _DTYPES.get(tensor.number(_DTYPE)),
    }
