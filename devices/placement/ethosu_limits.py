"""The limits that a supported operation has on an Ethos-U, each a function.

Each returns why an operator is refused, or an empty text; the source is named in
`edgeseg.devices.placement.ethosu_rules`. Those of windows that move over a map stand in
`edgeseg.devices.placement.ethosu_windows`, those of resizing in
`edgeseg.devices.placement.ethosu_sizes`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.placement.graph import ModelGraph, Operator, Tensor

    Limit = Callable[[ModelGraph, Operator], str]

_MOST_REDUCED = {"int8": 1 << 24, "uint8": 1 << 23, "int16": 1 << 16}
# these may have steps of another kind, or none
_WITHOUT_STEPS = (
    "ARG_MAX",
    "CAST",
    "EXPAND_DIMS",
    "MIRROR_PAD",
    "PAD",
    "PADV2",
    "QUANTIZE",
    "TRANSPOSE",
)
# of these a constant may be one of the maps
_TWO_MAPS = ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "PRELU")


def maps(graph: ModelGraph, op: Operator) -> tuple[Tensor, ...]:
    """Return the tensors that an operator works on, no weights or parameters."""
    if op.kind in _TWO_MAPS:
        return graph.read(op) + graph.written(op)
    if op.kind == "TRANSPOSE_CONV":  # the first that it reads is a shape
        return (graph.tensors[op.inputs[2]], *graph.written(op))
    return graph.activations(op)


def data_types(*allowed: str) -> Limit:
    """Return a limit: refuse what works on other types."""

    def limit(graph: ModelGraph, op: Operator) -> str:
        for tensor in maps(graph, op):
            if tensor.dtype not in allowed:
                return f"it works on {tensor.dtype}, expected {', '.join(allowed)}"
        return ""

    return limit


def fixed_sizes(graph: ModelGraph, op: Operator) -> str:
    """Refuse sizes that are left open, but the batch."""
    for tensor in graph.activations(op):
        if not tensor.fixed and (not tensor.shape or tensor.shape[0] != 1):
            return "its tensors have no fixed size"
    return ""


def works_on_something(graph: ModelGraph, op: Operator) -> str:
    """Refuse what reads constants alone."""
    read = graph.read(op)
    if read and not all(tensor.constant for tensor in read):
        return ""
    return "it reads constants alone"


def quantized(graph: ModelGraph, op: Operator) -> str:
    """Refuse maps without steps."""
    if op.kind in _WITHOUT_STEPS:
        return ""
    for tensor in maps(graph, op):
        if not tensor.scales or not tensor.scales[0] > 0:
            return "one of its tensors is not quantized"
    return ""


def one_step(graph: ModelGraph, op: Operator) -> str:
    """Refuse a step for each channel of a map."""
    if any(tensor.steps > 1 for tensor in maps(graph, op)):
        return "one of its maps has a step for each channel"
    return ""


def zero_at_zero(graph: ModelGraph, op: Operator) -> str:
    """Refuse 32-bit maps whose zero is stored as another number."""
    for tensor in maps(graph, op):
        if tensor.dtype == "int32" and any(tensor.zero_points):
            return "a 32-bit tensor of it has a zero point"
    return ""


def constant_parameters(graph: ModelGraph, op: Operator) -> str:
    """Refuse parameters that are computed: all that is read but the first."""
    if all(t < 0 or graph.tensors[t].constant for t in op.inputs[1:]):
        return ""
    return "its parameters are computed, not constant"


def constant_axis(graph: ModelGraph, op: Operator) -> str:
    """Refuse a split along an axis that is computed, which stands first."""
    if op.kind != "SPLIT" or graph.read(op)[0].constant:
        return ""
    return "its axis is computed, not constant"


def _axes(graph: ModelGraph, op: Operator) -> set[int]:
    source, axes = graph.read(op)[:2]
    return {int(axis) % len(source.shape) for axis in axes.values().ravel()}


def arg_max(graph: ModelGraph, op: Operator) -> str:
    """Refuse another axis than the last, and over 127 channels."""
    source, axis = graph.read(op)[:2]
    if not axis.constant or _axes(graph, op) != {len(source.shape) - 1}:
        return "it is not taken over the channels"
    if source.shape[-1] > 127:
        return f"it is taken over {source.shape[-1]} channels, at most 127 are"
    return ""


def mean(graph: ModelGraph, op: Operator) -> str:
    """Refuse large reductions, and one over channels of a map."""
    source, axes = graph.read(op)[:2]
    if not axes.constant:
        return "its axes are computed, not constant"
    reduced = _axes(graph, op)
    shape = source.shape
    if len(shape) == 4 and shape[0] != 1:
        return "its batch is not 1"
    cells = math.prod(shape[axis] for axis in reduced)
    if cells > _MOST_REDUCED.get(source.dtype, 0):
        return f"it reduces over {cells:,} cells at once"
    if any(shape[axis] >= 4096 for axis in reduced):
        return "it reduces over an axis of 4,096 or more"
    if len(shape) - 1 in reduced and min(shape[-3:]) > 1:
        return "it reduces over the channels of a map"
    return ""


def same_steps(graph: ModelGraph, op: Operator) -> str:
    """Refuse inputs that are quantized unlike the output."""
    kinds = {(t.scales, t.zero_points) for t in maps(graph, op)}
    return "" if len(kinds) == 1 else "its inputs are quantized unlike its output"


def along_batches(graph: ModelGraph, op: Operator) -> str:
    """Refuse to gather along another axis than the last of the batches."""
    if int(op.options.get("axis") or 0) == int(op.options.get("batchDims") or 0):
        return ""
    return "it gathers along another axis than its batches end at"


def around_convolution(graph: ModelGraph, op: Operator) -> str:
    """Refuse what moves cells into the batch, and back, but around a convolution.

    The three are a dilated convolution, as which they are compiled.
    """
    if op.kind == "SPACE_TO_BATCH_ND":
        inner = graph.consumers(op.outputs[0])
        outer = graph.consumers(inner[0].outputs[0]) if len(inner) == 1 else ()
    else:
        before = graph.producers().get(op.inputs[0])
        inner = () if before is None else (before,)
        first = graph.producers().get(before.inputs[0]) if before is not None else None
        outer = () if first is None else (first,)
    kinds = {"SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"}
    if (
        len(inner) == len(outer) == 1
        and inner[0].kind in ("CONV_2D", "DEPTHWISE_CONV_2D")
        and {op.kind, outer[0].kind} == kinds
    ):
        return ""
    return "it stands around no convolution"


def softmax(graph: ModelGraph, op: Operator) -> str:
    """Refuse very large maps."""
    cells = math.prod(graph.read(op)[0].shape[1:-1])
    if cells <= 1 << 16:  # the published table says fewer, Vela takes as many
        return ""
    return f"its map has {cells:,} cells, expected at most 65,536"


def no_reversal(graph: ModelGraph, op: Operator) -> str:
    """Refuse strides that go backwards."""
    steps = graph.read(op)[3]
    return "" if (steps.values() > 0).all() else "its strides go backwards"
