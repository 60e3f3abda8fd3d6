"""What a tensor of a TFLite file must be, before an interpreter may trust it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edgeseg.devices.tflite_file.flatbuffer import DamagedError
from edgeseg.devices.tflite_file.names import LIMITS
from edgeseg.devices.tflite_file.reading import readable

if TYPE_CHECKING:
    from edgeseg.devices.tflite_file.reading import (
        ModelFile,
        Quantization,
        Sparsity,
        TensorEntry,
    )

# indices in the interpreter's kernels are 32 bits
_MOST = 2**31 - 1
_LEAST_SCALE = 2.0**-149  # the smallest float32 above 0
_MOST_SCALE = (2 - 2.0**-23) * 2.0**127  # the greatest float32 that is finite
# of an input or output: a smaller one has lost its digits (FLT_MIN of C)
_LEAST_NORMAL = 2.0**-126
_MOST_DIMENSIONS = 8
_MOST_NAME = 1 << 16


def check_tensor(file: ModelFile, index: int, tensor: TensorEntry) -> None:
    """Raise `DamagedError` unless a tensor's size and quantization make sense."""
    try:
        _check_shape(tensor)
        _check_values(file, tensor)
        # a float tensor may keep the steps that it had when it was quantized
        if tensor.quantization is not None and tensor.dtype in LIMITS:
            _check_steps(file, tensor, tensor.quantization)
        if tensor.sparsity is not None:
            _check_sparsity(tensor, tensor.sparsity)
    except DamagedError as error:
        raise DamagedError(f"{titled(index, tensor)}: {error}") from None


def check_interface(tensor: TensorEntry) -> None:
    """Raise `DamagedError` unless a model's input or output can be shown and filled."""
    steps = tensor.quantization
    least = steps.scales.least if steps and steps.scales.count else 1
    if least < _LEAST_NORMAL and tensor.dtype in LIMITS and tensor.dtype != "int32":
        raise DamagedError(f"its scale is {least:g}, too small for a float32")
    try:
        tensor.name.decode("utf-8")
    except UnicodeDecodeError:
        raise DamagedError("its name is not UTF-8") from None


def titled(index: int, tensor: TensorEntry) -> str:
    """Return how a message names a tensor."""
    name = readable(tensor.name[:100])
    return f"tensor {index} ({name!r})" if name else f"tensor {index}"


def is_open(tensor: TensorEntry) -> bool:
    """Return whether a side is known only when the model runs."""
    return tensor.signature is not None and min(tensor.signature, default=0) < 0


def elements(shape: tuple[int, ...]) -> int:
    """Return how many values a shape has."""
    return math.prod(shape)


def _check_shape(tensor: TensorEntry) -> None:
    shape = tensor.shape
    if len(tensor.name) > _MOST_NAME:
        raise DamagedError(f"its name has {len(tensor.name)} bytes")
    if len(shape) > _MOST_DIMENSIONS:
        raise DamagedError(f"it has {len(shape)} dimensions")
    # empty lists, as axes of a reduction, are constants of shape [0]
    if min(shape, default=1) < (0 if len(shape) == 1 else 1):
        raise DamagedError(f"its shape {list(shape)} has a side below 1")
    if elements(shape) * max(tensor.bits, 8) // 8 > _MOST:
        raise DamagedError(f"its shape {list(shape)} needs more than 2 GiB")
    if tensor.signature and len(tensor.signature) != len(shape):
        raise DamagedError(
            f"its shape {list(shape)} and its signature {list(tensor.signature)} "
            "differ in rank"
        )


def _check_values(file: ModelFile, tensor: TensorEntry) -> None:
    if tensor.buffer >= len(file.buffers):
        raise DamagedError(
            f"its values are in buffer {tensor.buffer}, the file has "
            f"{len(file.buffers)}"
        )
    held = file.buffers[tensor.buffer][1]
    if not held or not tensor.bits or tensor.sparsity is not None:
        return
    needed = (elements(tensor.shape) * tensor.bits + 7) // 8
    if held != needed:
        raise DamagedError(
            f"{tensor.dtype} {list(tensor.shape)} needs {needed} bytes, the file holds "
            f"{held}"
        )


def _check_steps(file: ModelFile, tensor: TensorEntry, steps: Quantization) -> None:
    scales, zero_points = steps.scales, steps.zero_points
    if not scales.count or steps.other_kind:
        return
    # Dead channels of real networks have a scale of 0, of nearly 0, or, as a quotient
    # of two of these, an infinite one: single channels are left to the first inference.
    stored = file.buffers[tensor.buffer][1] > 0 or tensor.dtype == "int32"
    lowest_scale = 0.0 if stored else _LEAST_SCALE
    highest_scale = math.inf if stored and scales.count > 1 else _MOST_SCALE
    if not lowest_scale <= scales.least <= scales.most <= highest_scale:
        wrong = scales.most if scales.most == math.inf else scales.least
        raise DamagedError(f"its scale is {wrong:g}, expected a finite number above 0")
    if zero_points.count not in (0, 1, scales.count):
        raise DamagedError(
            f"it has {scales.count} scales and {zero_points.count} zero points"
        )
    lowest, highest = LIMITS[tensor.dtype]
    least, most = zero_points.least, zero_points.most
    if not lowest <= least <= most <= highest and zero_points.count:
        raise DamagedError(
            f"its zero point {least if least < lowest else most} is no {tensor.dtype} "
            f"({lowest} to {highest})"
        )
    if scales.count > 1:
        _check_channels(tensor, steps)


def _check_channels(tensor: TensorEntry, steps: Quantization) -> None:
    rank, dimension = len(tensor.shape), steps.dimension
    if not 0 <= dimension < rank:
        raise DamagedError(
            f"it is quantized along dimension {dimension}, its shape is "
            f"{list(tensor.shape)}"
        )
    if steps.scales.count != tensor.shape[dimension]:
        raise DamagedError(
            f"it has {steps.scales.count} scales for {tensor.shape[dimension]} "
            f"channels (dimension {dimension} of {list(tensor.shape)})"
        )


def _check_sparsity(tensor: TensorEntry, sparsity: Sparsity) -> None:
    """Raise unless what a sparse constant's tables point to is inside of it."""
    order, blocks, rank = (
        sparsity.traversal_order,
        sparsity.block_map,
        len(tensor.shape),
    )
    whole = (
        sorted(order) == list(range(rank + len(blocks)))
        and len(sparsity.dimensions) == len(order)
        and all(0 <= block < rank for block in blocks)
    )
    rows = 1
    for kind, dense, segments, indices in sparsity.dimensions if whole else ():
        if kind == 0:
            whole &= 0 < dense <= max(tensor.shape, default=1)
            rows *= dense
        elif segments is None or indices is None or len(segments) != rows + 1:
            whole = False
        else:
            whole &= bool(
                segments[0] == 0
                and (segments[1:] >= segments[:-1]).all()
                and segments[-1] == len(indices)
                and (indices >= 0).all()
                and (indices < max(tensor.shape, default=1)).all()
            )
            rows = len(indices)
        if not whole or rows > _MOST:
            break
    if not whole:
        raise DamagedError("the tables of its sparse values contradict each other")
