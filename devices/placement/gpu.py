"""What the LiteRT GPU delegate would take, by its published list.

Integers are computed as floats there: an 8-bit model is dequantized on the way in.
By default the delegate keeps one piece, the largest, and leaves the rest to the CPU.

References
----------
"GPU delegates for LiteRT", supported operators and quantized models,
https://ai.google.dev/edge/litert/performance/gpu ; for QUANTIZE and DEQUANTIZE
TensorFlow's ``lite/delegates/gpu/common/model_builder.cc``, for the number of pieces
``max_delegated_partitions`` in ``lite/delegates/gpu/delegate_options.h``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.placement.partition import pieces
from edgeseg.devices.placement.result import OperatorVerdict

if TYPE_CHECKING:
    from edgeseg.devices.placement.graph import ModelGraph, Operator

ORIGIN = "prediction from the published operator list of the LiteRT GPU delegate"
_SUPPORTED = frozenset(
    (
        "ADD",
        "AVERAGE_POOL_2D",
        "CONCATENATION",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "DEQUANTIZE",
        "EXP",
        "FULLY_CONNECTED",
        "LOGICAL_AND",
        "LOGISTIC",
        "LSTM",
        "MAXIMUM",
        "MAX_POOL_2D",
        "MINIMUM",
        "MUL",
        "PAD",
        "PRELU",
        "QUANTIZE",
        "RELU",
        "RELU6",
        "RESHAPE",
        "RESIZE_BILINEAR",
        "SOFTMAX",
        "STRIDED_SLICE",
        "SUB",
        "TRANSPOSE_CONV",
    )
)
_TYPES = ("float32", "float16", "int8", "uint8")


def predict(graph: ModelGraph) -> tuple[OperatorVerdict, ...]:
    """Return for each operator whether the delegate would take it, and why not."""
    refused = {op.index: _refusal(graph, op) for op in graph.operators}
    able = [index for index, reason in refused.items() if not reason]
    kept = max(
        (set(p.operators) for p in pieces(graph, able) if p.taken),
        key=len,
        default=set[int](),
    )
    return tuple(_verdict(i, refused[i], kept) for i in refused)


def _verdict(index: int, refused: str, kept: set[int]) -> OperatorVerdict:
    if refused:
        return OperatorVerdict("cpu", refused, blocking=True)
    if index in kept:
        return OperatorVerdict("gpu", "supported")
    return OperatorVerdict(
        "cpu", "supported, but not in the largest piece, the one that is kept"
    )


def _refusal(graph: ModelGraph, op: Operator) -> str:
    if op.kind not in _SUPPORTED:
        return "not on the GPU delegate's list"
    for tensor in graph.activations(op):
        if tensor.dtype not in _TYPES:
            return f"it works on {tensor.dtype}, the GPU delegate on floats and 8 bits"
        if len(tensor.shape) > 4:
            return f"a tensor of {len(tensor.shape)} axes, the GPU delegate takes 4"
    return ""
