"""How much an operator computes and moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.runtime.placement.graph import ModelGraph, Operator


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
