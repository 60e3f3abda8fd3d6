"""The limits that a supported operation has on an Edge TPU, each a function.

Each returns why an operator is refused, or an empty text. They are the remarks of the
published table, see `edgeseg.devices.placement.edgetpu_rules`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.placement.interpolation import (
    refused_interpolation,
    refused_memory,
)

if TYPE_CHECKING:
    from edgeseg.devices.placement.graph import ModelGraph, Operator

_SOFTMAX_ELEMENTS = 16_000
# Not published: 256x128 cells are known to be refused, 64x128 to map (issue 461)
_MEAN_CELLS = 16_384
_EIGHT_BITS = ("int8", "uint8")
# A cell state between two steps of an LSTM has 16 bits
_STATEFUL = ("LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM")
_FUSED = {0: "NONE", 1: "RELU", 2: "RELU_N1_TO_1", 3: "RELU6", 4: "TANH", 5: "SIGN_BIT"}


def data_types(graph: ModelGraph, op: Operator) -> str:
    """Refuse what is not 8-bit."""
    allowed = (*_EIGHT_BITS, "int16") if op.kind in _STATEFUL else _EIGHT_BITS
    for tensor in graph.activations(op):
        if tensor.dtype not in allowed:
            return f"it works on {tensor.dtype}, an Edge TPU on int8 or uint8 alone"
    return ""


def fixed_sizes(graph: ModelGraph, op: Operator) -> str:
    """Refuse sizes that are left open."""
    if all(tensor.fixed for tensor in graph.activations(op)):
        return ""
    return "its tensors have no fixed size (the batch is left open)"


def three_axes(graph: ModelGraph, op: Operator) -> str:
    """Refuse tensors of more than three long axes."""
    for tensor in graph.activations(op):
        if not tensor.shape or min(tensor.shape) < 1:
            return "a tensor of it has no size"
        if any(side > 1 for side in tensor.shape[:-3]):
            shape = "x".join(map(str, tensor.shape))
            return f"more than the three innermost axes are used ({shape})"
    return ""


def constant_parameters(graph: ModelGraph, op: Operator) -> str:
    """Refuse weights that are computed."""
    parameters = op.inputs[1:3]
    if all(t < 0 or graph.tensors[t].constant for t in parameters):
        return ""
    return "its weights are computed, not constant"


def no_activation(graph: ModelGraph, op: Operator) -> str:
    """Refuse a fused activation."""
    fused = int(op.options.get("fusedActivationFunction") or 0)
    if fused == 0:
        return ""
    return f"a fused activation ({_FUSED.get(fused, fused)}) is not supported here"


def same_dilation(graph: ModelGraph, op: Operator) -> str:
    """Refuse a dilation that differs along the axes."""
    rows = op.options.get("dilationHFactor", 1)
    columns = op.options.get("dilationWFactor", 1)
    if rows == columns:
        return ""
    return f"its dilation differs along the axes ({rows}x{columns})"


def concatenation(graph: ModelGraph, op: Operator) -> str:
    """Refuse to join constants, but zeros with one tensor."""
    constants = [t for t in graph.read(op) if t.constant]
    if not constants:
        return ""
    if len(op.inputs) > 2:
        return "a constant is joined with more than one tensor"
    zero = constants[0].zero_points[0] if constants[0].zero_points else 0
    if (constants[0].values() != zero).any():
        return "a constant that is joined must be all zeros"
    return ""


def fully_connected(graph: ModelGraph, op: Operator) -> str:
    """Refuse other formats of weights, and outputs of several axes."""
    if op.options.get("weightsFormat"):
        return "its weights are not in the default format"
    made = graph.written(op)[0]
    if made.elements != made.shape[-1]:
        return "its output has more than one axis"
    return ""


def softmax(graph: ModelGraph, op: Operator) -> str:
    """Refuse more than one vector, and long ones."""
    read = graph.read(op)[0]
    if read.elements != read.shape[-1]:
        return "softmax is supported over one vector, not over each cell of a map"
    if read.elements > _SOFTMAX_ELEMENTS:
        return f"softmax is supported over at most {_SOFTMAX_ELEMENTS:,} elements"
    return ""


def _axes(graph: ModelGraph, op: Operator) -> set[int]:
    """Return the axes that a reduction names, counted from the front."""
    source, axes = graph.read(op)[:2]
    if not axes.constant:
        return set()
    return {int(a) % len(source.shape) for a in axes.values().ravel()}


def no_batch_axis(graph: ModelGraph, op: Operator) -> str:
    """Refuse to reduce over the batch."""
    source = graph.read(op)[0]
    if len(source.shape) > 3 and 0 in _axes(graph, op):
        return "it reduces over the batch"
    return ""


def mean(graph: ModelGraph, op: Operator) -> str:
    """Refuse odd numbers of channels, and large maps."""
    source, axes = graph.read(op)[0], _axes(graph, op)
    if len(source.shape) - 1 in axes and source.shape[-1] % 4:
        return f"it reduces over {source.shape[-1]} channels, no multiple of 4"
    cells = 1
    for axis in axes:
        cells *= source.shape[axis]
    if cells > _MEAN_CELLS:
        return f"it reduces over {cells:,} cells at once, too many for the Edge TPU"
    return ""


def pad(graph: ModelGraph, op: Operator) -> str:
    """Refuse to pad the batch."""
    source, padding = graph.read(op)[:2]
    if not padding.constant:
        return "its padding is computed, not constant"
    if len(source.shape) > 3 and padding.values()[0].any():
        return "it pads the batch"
    return ""


def tile(graph: ModelGraph, op: Operator) -> str:
    """Refuse repeats that are computed."""
    if not graph.read(op)[1].constant:
        return "its repeats are computed, not constant"
    return ""


def not_along_batch(graph: ModelGraph, op: Operator) -> str:
    """Refuse to work along the batch."""
    made = graph.written(op)[0]
    axis = int(op.options.get("axis") or 0)
    if len(made.shape) > 3 and axis % len(made.shape) == 0:
        return "it works along the batch"
    return ""


def split(graph: ModelGraph, op: Operator) -> str:
    """Refuse to split the batch."""
    axis, source = graph.read(op)[:2]
    sides = len(source.shape)
    if axis.constant and sides > 3 and int(axis.values().ravel()[0]) % sides == 0:
        return "it splits the batch"
    return ""


def prelu(graph: ModelGraph, op: Operator) -> str:
    """Refuse slopes that differ by cell."""
    slopes = graph.read(op)[1]
    if slopes.shape[-1:] != (slopes.elements,):
        return "its slopes differ by cell: share them over height and width"
    return ""


def squeeze(graph: ModelGraph, op: Operator) -> str:
    """Refuse to take out an axis behind a longer one."""
    shape = graph.read(op)[0].shape
    long = [axis for axis, side in enumerate(shape) if side > 1]
    if long and 1 in shape[long[0] :]:
        return "it takes out an axis behind one that is longer than 1"
    return ""


def strided_slice(graph: ModelGraph, op: Operator) -> str:
    """Refuse strides and new axes."""
    strides = graph.read(op)[3]
    if not strides.constant or (strides.values() != 1).any():
        return "its strides are not all 1"
    if op.options.get("ellipsisMask") or op.options.get("newAxisMask"):
        return "it has an ellipsis or a new axis"
    return ""


def resize(graph: ModelGraph, op: Operator) -> str:
    """Refuse outputs that do not fit on chip."""
    return refused_memory(graph.written(op)[0].bytes)


def resize_bilinear(graph: ModelGraph, op: Operator) -> str:
    """Refuse steps that int8 weights cannot hold."""
    before, after = graph.read(op)[0].shape, graph.written(op)[0].shape
    if (len(before), len(after)) != (4, 4):
        return "its maps do not have the four axes of pictures"
    corners = bool(op.options.get("alignCorners"))
    half = bool(op.options.get("halfPixelCenters"))
    return refused_interpolation(
        (before[1], before[2]), (after[1], after[2]), corners, half
    )
