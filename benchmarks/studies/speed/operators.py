"""Models of one operator: cut out of another one, or made to measure a processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.converter.quantization.flatbuffer import FlatModel

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import FlatTable

_SCALE = 0.05


def cut_out(content: bytes, index: int) -> bytes:
    """Return a model of one operator of another, with its weights.

    Parameters
    ----------
    content : bytes
        A TFLite model of one subgraph.
    index : int
        Place of the operator, from 0.
    """
    flat = FlatModel(content)
    operator = flat.graph.operators[index]
    read = [int(t) for t in operator.inputs if t >= 0]
    flat.graph.operators = [operator]
    flat.graph.inputs = [t for t in read if flat.constant(t) is None]
    flat.graph.outputs = [int(t) for t in operator.outputs]
    flat.model.signatureDefs = []
    flat.model.metadata = []
    flat.order_tensors()
    return flat.to_bytes()


def convolution(side: int, channels: int) -> bytes:
    """Return a 1x1 int8 convolution of ``(1, side, side, channels)`` to as many."""
    import numpy as np

    schema = need("ai_edge_litert.schema_py_generated")
    flat = _empty()
    before, after = (_activation(flat, (1, side, side, channels)) for _ in range(2))
    noise = np.random.default_rng(0)
    weights = noise.integers(-127, 127, (channels, 1, 1, channels), np.int8)
    kernel = flat.add_constant("kernel", weights)
    flat.set_quantization(kernel, np.full(channels, _SCALE), np.zeros(channels, int))
    bias = flat.add_constant("bias", np.zeros(channels, np.int32))
    steps = np.full(channels, _SCALE * _SCALE)
    flat.set_quantization(bias, steps, np.zeros(channels, int))
    options = schema.Conv2DOptionsT()
    options.strideW = options.strideH = 1
    options.dilationWFactor = options.dilationHFactor = 1
    made = flat.operator("CONV_2D", [before, kernel, bias], [after], options)
    flat.model.operatorCodes[made.opcodeIndex].version = 3  # int8, a scale a channel
    return _with(flat, made, [before], after)


def addition(elements: int) -> bytes:
    """Return an addition of two int8 maps of so many elements, a multiple of 256."""
    schema = need("ai_edge_litert.schema_py_generated")
    flat = _empty()
    shape = (1, 1, elements // 256, 256)
    one, other, made = (_activation(flat, shape) for _ in range(3))
    added = flat.operator("ADD", [one, other], [made], schema.AddOptionsT())
    flat.model.operatorCodes[added.opcodeIndex].version = 2  # int8
    return _with(flat, added, [one, other], made)


def nothing() -> bytes:
    """Return a model that clips a single int8 number."""
    flat = _empty()
    before, after = (_activation(flat, (1, 1, 1, 1)) for _ in range(2))
    made = flat.operator("RELU", [before], [after])
    flat.model.operatorCodes[made.opcodeIndex].version = 2  # int8
    return _with(flat, made, [before], after)


def _empty() -> FlatModel:
    schema, utils = (
        need("ai_edge_litert.schema_py_generated"),
        need("ai_edge_litert.tools.flatbuffer_utils"),
    )
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version = 3  # of the schema
    model.buffers, model.operatorCodes = [schema.BufferT()], []
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [], []
    model.subgraphs = [graph]
    return FlatModel(bytes(utils.convert_object_to_bytearray(model)))


def _activation(flat: FlatModel, shape: tuple[int, ...]) -> int:
    index = flat.add_tensor(f"map {len(flat.graph.tensors)}", shape, "int8")
    flat.set_quantization(index, _SCALE, 0)
    return index


def _with(flat: FlatModel, made: FlatTable, inputs: list[int], output: int) -> bytes:
    flat.graph.operators = [made]
    flat.graph.inputs, flat.graph.outputs = inputs, [output]
    return flat.to_bytes()
