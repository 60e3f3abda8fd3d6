"""The limits of convolutions and poolings on an Ethos-U, each a function.

See `edgeseg.devices.placement.ethosu_limits`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.devices.placement.graph import ModelGraph, Operator, Tensor

_VALID = 1  # padding, in the schema
_MOST_WEIGHTS = 127 << 16  # sum of absolute weights of one output


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
