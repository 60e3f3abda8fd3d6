"""The operators and tensors of a .tflite file, with the options that each has.

An interpreter gives shapes and types, but no strides, dilations, alignments or fused
activations: those are read from the flatbuffer itself, by the tables that
ai-edge-litert brings (tflite-runtime has none).

References
----------
TensorFlow Lite schema, ``tensorflow/compiler/mlir/lite/schema/schema.fbs``.
"""

from __future__ import annotations

import functools
import importlib
import struct
from typing import TYPE_CHECKING

from edgeseg.devices import MissingDriverError, ModelError
from edgeseg.devices.litert import open_interpreter, read_model
from edgeseg.devices.placement.graph import ModelGraph, Operator, Tensor

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Module, Untyped

_CONTROL = ("IF", "WHILE", "CALL", "CALL_ONCE", "STABLEHLO_WHILE")
# How many tensors an operator cannot do without, where that is not one
_LEAST_INPUTS = {
    "CONV_2D": 2,
    "DEPTHWISE_CONV_2D": 2,
    "FULLY_CONNECTED": 2,
    "MEAN": 2,
    "PAD": 2,
    "PRELU": 2,
    "REDUCE_MAX": 2,
    "REDUCE_MIN": 2,
    "RESIZE_BILINEAR": 2,
    "RESIZE_NEAREST_NEIGHBOR": 2,
    "SPLIT": 2,
    "STRIDED_SLICE": 4,
    "SUM": 2,
    "TILE": 2,
    "TRANSPOSE_CONV": 3,
}
# What walking a damaged table raises
_DAMAGED = (
    struct.error,
    IndexError,
    TypeError,
    ValueError,
    AttributeError,
    KeyError,
    MemoryError,
)


def read_model_graph(path: Path) -> ModelGraph:
    """Return the operators and tensors of a model without running it.

    Parameters
    ----------
    path : Path
        A ``.tflite`` file; one compiled for an Edge TPU will do.

    Raises
    ------
    ModelError
        It is no TFLite model, has several subgraphs, or sizes that are not fixed.
    MissingDriverError
        The installed interpreter has no tables to read a flatbuffer with.
    """
    content = read_model(path)
    open_interpreter(path, delegate=False)  # verifies the whole flatbuffer
    schema = _schema()
    try:
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(content), 0))
        graph = _graph(model, path)
    except ModelError:
        raise
    except _DAMAGED as error:
        raise ModelError(
            f"{path} cannot be read as a TFLite model (truncated or damaged?): {error}"
        ) from error
    _check_whole(graph, path)
    _check_sizes(graph, path)
    return graph


def _graph(model: Untyped, path: Path) -> ModelGraph:
    if len(model.subgraphs) != 1:
        raise ModelError(
            f"{path} has {len(model.subgraphs)} subgraphs (loops or branches): "
            "expected a model of one, as edgeseg convert makes"
        )
    graph = model.subgraphs[0]
    operators = tuple(
        _operator(index, op, model.operatorCodes)
        for index, op in enumerate(graph.operators)
    )
    for op in operators:
        if op.kind in _CONTROL:
            raise ModelError(
                f"{path}: operator {op.index} is {op.kind}: a model with control flow "
                "cannot be placed operator by operator"
            )
    return ModelGraph(
        tuple(_tensor(tensor, model.buffers) for tensor in graph.tensors),
        operators,
        tuple(int(t) for t in graph.inputs),
        tuple(int(t) for t in graph.outputs),
    )


def _operator(index: int, op: Untyped, codes: Untyped) -> Operator:
    code = codes[op.opcodeIndex]
    kind = _operator_names()[max(code.builtinCode, code.deprecatedBuiltinCode)]
    if kind == "CUSTOM" and code.customCode:
        kind = code.customCode.decode("utf-8", "replace")
    options = {} if op.builtinOptions is None else vars(op.builtinOptions)
    inputs = () if op.inputs is None else tuple(int(t) for t in op.inputs)
    outputs = () if op.outputs is None else tuple(int(t) for t in op.outputs)
    return Operator(index, kind, inputs, outputs, options)


def _tensor(tensor: Untyped, buffers: Untyped) -> Tensor:
    import numpy as np

    data = buffers[tensor.buffer].data
    shape = () if tensor.shape is None else tuple(int(n) for n in tensor.shape)
    signature = tensor.shapeSignature
    quantization = tensor.quantization
    zeros = None if quantization is None else quantization.zeroPoint
    scales = None if quantization is None else quantization.scale
    empty = data is None or not len(data)
    return Tensor(
        name="" if tensor.name is None else tensor.name.decode("utf-8", "replace"),
        shape=shape,
        dtype=_type_names()[tensor.type].lower(),
        fixed=signature is None or all(n >= 0 for n in signature),
        data=None if empty else np.asarray(data, np.uint8),
        zero_points=() if zeros is None else tuple(int(z) for z in zeros),
        scales=() if scales is None else tuple(float(s) for s in scales),
        axis=0 if quantization is None else int(quantization.quantizedDimension or 0),
    )


def _check_whole(graph: ModelGraph, path: Path) -> None:
    """Raise where an operator names a tensor that is not there, or too few."""
    count = len(graph.tensors)
    for op in graph.operators:
        known = all(-1 <= t < count for t in (*op.inputs, *op.outputs))
        read = sum(t >= 0 for t in op.inputs)
        if not known or not op.outputs or read < _LEAST_INPUTS.get(op.kind, 1):
            raise ModelError(
                f"{path}: operator {op.index} {op.kind} lacks tensors that it reads or "
                "writes: the model is damaged"
            )


def _check_sizes(graph: ModelGraph, path: Path) -> None:
    """Raise where a picture's size is open; an open batch is taken as one."""
    for tensor in (graph.tensors[t] for t in graph.inputs):
        if not tensor.fixed and min(tensor.shape[1:3], default=0) <= 1:
            raise ModelError(
                f"{path}: input {tensor.name!r} has no fixed size (now "
                f"{'x'.join(map(str, tensor.shape))}): convert the model again with "
                "--size"
            )


def _schema() -> Module:
    try:
        return importlib.import_module("ai_edge_litert.schema_py_generated")
    except ImportError as error:
        raise MissingDriverError(
            "reading a model's operators needs ai-edge-litert (tflite-runtime does not "
            "tell them): pip install ai-edge-litert"
        ) from error


@functools.cache
def _operator_names() -> dict[int, str]:
    return _numbers_to_names(_schema().BuiltinOperator)


@functools.cache
def _type_names() -> dict[int, str]:
    return _numbers_to_names(_schema().TensorType)


def _numbers_to_names(table: Untyped) -> dict[int, str]:
    return {v: k for k, v in vars(table).items() if not k.startswith("_")}
