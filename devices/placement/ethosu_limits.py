"""The limits that a supported operation has on an Ethos-U, each a function.

Each returns why an operator is refused, or an empty text; the source is named in
`edgeseg.devices.placement.ethosu_rules`. What reads pictures at another size stands in
`edgeseg.devices.placement.ethosu_sizes`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.placement.graph import ModelGraph, Operator, Tensor

    Limit = Callable[[ModelGraph, Operator], str]

_VALID = 1  # padding, in the schema
_MOST_WEIGHTS = 127 << 16  # sum of absolute weights of one output
_MOST_REDUCED = {"int8": 1 << 24, "uint8": 1 << 23, "int16": 1 << 16}
# these may have steps of another kind, or none
_WITHOUT_STEPS = (
    "ARG_MAX",
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


def weights(graph: ModelGraph, op: Operator) -> str:
    """Refuse weights that are not 8-bit, or so large that a sum would overflow."""
    found = graph.tensors[op.inputs[1]]
    if found.dtype not in ("int8", "uint8"):
        return f"its weights are {found.dtype}, expected 8 bits"
    if not found.constant:
        return "its weights are computed, not constant"
    outputs = found.shape[-1] if op.kind == "DEPTHWISE_CONV_2D" else found.shape[0]
    each = found.elements // max(outputs, 1)
    if each * 255 > _MOST_WEIGHTS and _weight_sum(found, op) > _MOST_WEIGHTS:
        return f"the weights of one output sum up to over {_MOST_WEIGHTS:,}"
    return ""


def _weight_sum(found: Tensor, op: Operator) -> int:
    import numpy as np

    zero = found.zero_points[0] if found.zero_points else 0
    sizes = np.abs(found.values().astype(np.int64) - zero)
    over = (0, 1, 2) if op.kind == "DEPTHWISE_CONV_2D" else tuple(range(1, sizes.ndim))
    return int(sizes.sum(axis=over).max())


def bias(graph: ModelGraph, op: Operator) -> str:
    """Refuse a bias that is computed, or of other bits."""
    place = 3 if op.kind == "TRANSPOSE_CONV" else 2
    if len(op.inputs) <= place or op.inputs[place] < 0:
        return ""
    found = graph.tensors[op.inputs[place]]
    if not found.constant:
        return "its bias is computed, not constant"
    if found.dtype not in ("int32", "int64"):
        return f"its bias is {found.dtype}, expected int32 or int64"
    return ""


def _strides(op: Operator) -> tuple[int, int]:
    return int(op.options.get("strideH") or 1), int(op.options.get("strideW") or 1)


def small_stride(graph: ModelGraph, op: Operator) -> str:
    """Refuse strides over 3."""
    rows, columns = _strides(op)
    return "" if max(rows, columns) <= 3 else f"its stride is {rows}x{columns}, over 3"


def stride(graph: ModelGraph, op: Operator) -> str:
    """Refuse strides over 3 with padding, or with dilation."""
    dilation = max(
        int(op.options.get("dilationHFactor") or 1),
        int(op.options.get("dilationWFactor") or 1),
    )
    if dilation == 1 and not _is_padded(graph, op):
        return ""
    return small_stride(graph, op)


def _is_padded(graph: ModelGraph, op: Operator) -> bool:
    """Return whether a window reaches beyond the map."""
    if op.options.get("padding") == _VALID:
        return False
    height, width = _kernel(op)
    if op.kind == "CONV_2D":
        height, width = graph.tensors[op.inputs[1]].shape[1:3]
    before, after = graph.read(op)[0].shape, graph.written(op)[0].shape
    reach = [
        (after[axis] - 1) * step + size - before[axis]
        for axis, step, size in zip((1, 2), _strides(op), (height, width), strict=True)
    ]
    return max(reach) > 0


def _kernel(op: Operator) -> tuple[int, int]:
    options = op.options
    return int(options.get("filterHeight") or 1), int(options.get("filterWidth") or 1)


def average_window(graph: ModelGraph, op: Operator) -> str:
    """Refuse large windows."""
    height, width = _kernel(op)
    if op.options.get("padding") == _VALID:
        return maximum_window(graph, op)
    if max(height, width) > 8:
        return f"its window of {height}x{width} is over 8x8, with padding"
    return ""


def maximum_window(graph: ModelGraph, op: Operator) -> str:
    """Refuse very large windows."""
    height, width = _kernel(op)
    if height > 256 or height * width > 1 << 16:
        return f"its window of {height}x{width} is over 256 rows or 65,536 cells"
    return ""


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


def softmax(graph: ModelGraph, op: Operator) -> str:
    """Refuse very large maps."""
    cells = math.prod(graph.read(op)[0].shape[1:-1])
    if cells < 1 << 16:
        return ""
    return f"its map has {cells:,} cells, expected fewer than 65,536"


def no_reversal(graph: ModelGraph, op: Operator) -> str:
    """Refuse strides that go backwards."""
    steps = graph.read(op)[3]
    return "" if (steps.values() > 0).all() else "its strides go backwards"


def transposed_stride(graph: ModelGraph, op: Operator) -> str:
    """Refuse other strides than 1x1 and 2x2 over maps."""
    rows, columns = _strides(op)
    kernel = graph.tensors[op.inputs[1]].shape
    source = graph.tensors[op.inputs[2]].shape
    flat = (rows, columns) == (1, 2) and source[1] == kernel[1] == 1
    thin = (rows, columns) == (2, 1) and source[2] == kernel[2] == 1
    if (rows, columns) in ((1, 1), (2, 2)) or flat or thin:
        return ""
    return f"its stride is {rows}x{columns}, expected 1x1 or 2x2"


def transposed_shape(graph: ModelGraph, op: Operator) -> str:
    """Refuse outputs of another size than the stride gives."""
    kernel = graph.tensors[op.inputs[1]].shape
    source, made = graph.tensors[op.inputs[2]].shape, graph.written(op)[0].shape
    for axis, step in zip((1, 2), _strides(op), strict=True):
        more = kernel[axis] - step if op.options.get("padding") == _VALID else 0
        if made[axis] != source[axis] * step + max(more, 0):
            return f"its output is {made[axis]} cells long, not {source[axis] * step}"
    return ""
