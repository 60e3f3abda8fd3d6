"""The image pooling branch of a DeepLab in forms that every accelerator takes.

The branch averages the whole picture into one cell and resizes that cell to the grid
again. The resize only repeats the cell, but an Edge TPU's compiler refuses to
interpolate a map of one cell, and leaves all that follows to the CPU. Two exact
rewrites of the float TFLite graph do without it:

``tile``
    TILE repeats the cell. Google's own Cityscapes file does so, and its compiler put
    that TILE on the Edge TPU. XNNPACK does not know TILE.
``split``
    The 1x1 convolution behind the concatenation is linear, so that
    ``conv(concat(repeat(p), a)) = conv_p(p) + conv_a(a)``: the kernel is cut in two by
    its input channels, the part for the cell is computed once and not at each cell of
    the grid, and ADD, for which the published constraints name no limit, repeats its
    result. Any activation moves behind the ADD.

``resize`` leaves the graph as it is.

References
----------
Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017,
section 3.3 (image-level features). "TensorFlow models on the Edge TPU",
https://coral.ai/docs/edgetpu/models-intro/ .
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.devices import ConversionError

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import FlatOperator, FlatTable
    from edgeseg.devices.types import Array

POOLING = ("resize", "tile", "split")
_RESIZES = ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")
_CHANNELS = 3  # the axis, of (N, H, W, C)


def rewrite_pooling(content: bytes, how: str) -> bytes:
    """Return a float model whose maps of one cell are repeated without a resize.

    Parameters
    ----------
    content : bytes
        A float TFLite model.
    how : {"resize", "tile", "split"}
        See above; ``resize`` changes nothing.

    Raises
    ------
    ConversionError
        The model resizes no map of one cell, or, for ``split``, no 1x1 convolution
        over a concatenation follows.
    """
    if how == "resize":
        return content
    flat = FlatModel(content)
    resizes = [op for op in flat.graph.operators if _repeats(flat, op)]
    if not resizes:
        raise ConversionError(
            f"--pooling {how} rewrites the resize of a 1x1 map, and this model has "
            "none: leave the option out"
        )
    for resize in resizes:
        if how == "tile":
            _tile(flat, resize)
        else:
            _split(flat, _branch(flat, resize))
    return flat.to_bytes()


@dataclass(frozen=True)
class _Branch:
    """The operators that a split replaces."""

    resize: FlatOperator
    join: FlatOperator
    conv: FlatOperator

    @property
    def cell(self) -> int:
        """The map of one cell."""
        return int(self.resize.inputs[0])

    @property
    def repeated(self) -> int:
        """The map that the resize makes of it."""
        return int(self.resize.outputs[0])

    @property
    def others(self) -> list[int]:
        """The other maps that are joined."""
        return [int(t) for t in self.join.inputs if int(t) != self.repeated]


def _repeats(flat: FlatModel, op: FlatOperator) -> bool:
    if flat.kind(op) not in _RESIZES:
        return False
    before, after = (flat.shape(int(t))[1:3] for t in (op.inputs[0], op.outputs[0]))
    return before == (1, 1) and after != (1, 1)


def _tile(flat: FlatModel, resize: FlatOperator) -> None:
    import numpy as np

    cell, repeated = int(resize.inputs[0]), int(resize.outputs[0])
    repeats = np.array([1, *flat.shape(repeated)[1:3], 1], np.int32)
    times = flat.add_constant(f"{flat.name(repeated)}/repeats", repeats)
    made = flat.operator("TILE", [cell, times], [repeated], _options("TileOptionsT"))
    place = flat.graph.operators.index(resize)
    flat.graph.operators[place] = made


def _branch(flat: FlatModel, resize: FlatOperator) -> _Branch:
    """Return the concatenation and convolution behind a resize, or refuse."""
    join = _only_reader(flat, int(resize.outputs[0]))
    conv = None if join is None else _only_reader(flat, int(join.outputs[0]))
    if conv is None or not _can_split(flat, _Branch(resize, join, conv)):
        raise ConversionError(
            f"--pooling split needs a 1x1 convolution over a concatenation behind the "
            f"resize {flat.name(int(resize.outputs[0]))!r}: take --pooling tile"
        )
    return _Branch(resize, join, conv)


def _only_reader(flat: FlatModel, tensor: int) -> FlatOperator | None:
    readers = flat.consumers(tensor)
    alone = len(readers) == 1 and tensor not in list(flat.graph.outputs)
    return readers[0] if alone else None


def _can_split(flat: FlatModel, branch: _Branch) -> bool:
    if (flat.kind(branch.join), flat.kind(branch.conv)) != ("CONCATENATION", "CONV_2D"):
        return False
    joined, kernel = branch.join.builtinOptions, branch.conv.inputs[1]
    return (
        joined.axis in (_CHANNELS, -1)
        and joined.fusedActivationFunction == 0
        and list(branch.join.inputs).count(branch.repeated) == 1
        and bool(branch.others)
        and branch.conv.inputs[0] == branch.join.outputs[0]
        and flat.constant(int(kernel)) is not None
        and flat.shape(int(kernel))[1:3] == (1, 1)
        and branch.conv.builtinOptions.strideH == 1
        and branch.conv.builtinOptions.strideW == 1
    )


def _split(flat: FlatModel, branch: _Branch) -> None:
    """Replace resize, concatenation and convolution by two of those and an ADD."""
    import numpy as np

    for_cell, for_others = _kernels(flat, branch)
    result = int(branch.conv.outputs[0])
    name, shape = flat.name(result), flat.shape(result)
    width = shape[_CHANNELS]
    once = flat.add_tensor(f"{name}/pooled", (1, 1, 1, width), "float32")
    everywhere = flat.add_tensor(f"{name}/local", shape, "float32")
    bias = [int(t) for t in branch.conv.inputs[2:] if t >= 0] or [
        flat.add_constant(f"{name}/bias", np.zeros(width, np.float32))
    ]
    nothing = flat.add_constant(f"{name}/pooled/bias", np.zeros(width, np.float32))
    source, joined = _others(flat, branch)
    made = [
        _conv(flat, branch.cell, for_cell, nothing, once),
        *joined,
        _conv(flat, source, for_others, bias[0], everywhere),
        _add(flat, everywhere, once, branch.conv),
    ]
    place = flat.graph.operators.index(branch.conv)
    flat.graph.operators[place : place + 1] = made
    flat.graph.operators.remove(branch.join)
    flat.graph.operators.remove(branch.resize)
    _forget(flat, int(branch.conv.inputs[1]))


def _kernels(flat: FlatModel, branch: _Branch) -> tuple[int, int]:
    """Cut a kernel ``(O, 1, 1, I)`` in two: the cell's channels, and all others."""
    import numpy as np

    index = int(branch.conv.inputs[1])
    kernel: Array | None = flat.constant(index)
    assert kernel is not None  # seen to by `_can_split`
    parts, start = [], 0
    for tensor in map(int, branch.join.inputs):
        stop = start + flat.shape(tensor)[_CHANNELS]
        parts.append((tensor, kernel[..., start:stop]))
        start = stop
    cell = [part for tensor, part in parts if tensor == branch.repeated]
    others = [part for tensor, part in parts if tensor != branch.repeated]
    name = flat.name(index)
    return (
        flat.add_constant(f"{name}/pooled", cell[0]),
        flat.add_constant(f"{name}/local", np.concatenate(others, axis=_CHANNELS)),
    )


def _forget(flat: FlatModel, constant: int) -> None:
    """Drop the values of a constant that no operator reads from the file."""
    tensor = flat.tensor(constant)
    users = [t for t in flat.graph.tensors if t.buffer == tensor.buffer]
    if len(users) == 1 and not flat.consumers(constant):
        flat.model.buffers[tensor.buffer].data = None
        tensor.buffer = 0  # by the schema always the empty buffer


def _others(flat: FlatModel, branch: _Branch) -> tuple[int, list[FlatOperator]]:
    """Return what else the convolution reads, and the operator that joins it."""
    others = branch.others
    if len(others) == 1:
        return others[0], []
    old = int(branch.join.outputs[0])
    width = sum(flat.shape(t)[_CHANNELS] for t in others)
    shape = (*flat.shape(old)[:_CHANNELS], width)
    joined = flat.add_tensor(f"{flat.name(old)}/local", shape, "float32")
    options = branch.join.builtinOptions
    return joined, [flat.operator("CONCATENATION", others, [joined], options)]


def _conv(
    flat: FlatModel, source: int, kernel: int, bias: int, made: int
) -> FlatOperator:
    options = _options("Conv2DOptionsT")
    options.padding = need("ai_edge_litert.schema_py_generated").Padding.VALID
    options.strideH = options.strideW = 1
    options.dilationHFactor = options.dilationWFactor = 1
    return flat.operator("CONV_2D", [source, kernel, bias], [made], options)


def _add(
    flat: FlatModel, everywhere: int, once: int, conv: FlatOperator
) -> FlatOperator:
    options = _options("AddOptionsT")
    options.fusedActivationFunction = conv.builtinOptions.fusedActivationFunction
    result = int(conv.outputs[0])
    return flat.operator("ADD", [everywhere, once], [result], options)


def _options(table: str) -> FlatTable:
    return getattr(need("ai_edge_litert.schema_py_generated"), table)()
