"""The shapes that operators on pictures give: convolutions, pooling, resizing.

See `edgeseg.devices.tflite_file.shape_rules`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.tflite_file.flatbuffer import DamagedError
from edgeseg.devices.tflite_file.tensor_rules import elements

if TYPE_CHECKING:
    from edgeseg.devices.tflite_file.shapes_context import Context

_Shape = tuple[int, ...]
_SAME = 0  # of the options' padding


def _window(context: Context, height: int, width: int) -> tuple[int, int]:
    """Return rows and columns of what a window that moves over a picture gives."""
    options, shape = context.options, context.shape4(0)
    found = []
    for size, window, side in (
        (shape[1], height, "H"),
        (shape[2], width, "W"),
    ):
        reach = (window - 1) * options.get(f"dilation{side}Factor", 1) + 1
        room = size if options["padding"] == _SAME else size - reach + 1
        if room < 1:
            raise DamagedError(f"its window of {reach} is larger than its input {size}")
        found.append(-(-room // options[f"stride{side}"]))
    return found[0], found[1]


def convolution(context: Context) -> tuple[_Shape, ...]:
    """Return the shape of CONV_2D."""
    (batch, _, _, channels), weights = context.shape4(0), context.shape4(1)
    if channels % weights[3] or weights[0] % (channels // weights[3]):
        raise DamagedError(
            f"its weights {list(weights)} do not fit {channels} channels of input"
        )
    _check_bias(context, 2, weights[0])
    return ((batch, *_window(context, *weights[1:3]), weights[0]),)


def depthwise(context: Context) -> tuple[_Shape, ...]:
    """Return the shape of DEPTHWISE_CONV_2D."""
    (batch, _, _, channels), weights = context.shape4(0), context.shape4(1)
    multiplier, rest = divmod(weights[3], channels)
    stated = context.options["depthMultiplier"]
    if rest or weights[0] != 1 or stated not in (0, multiplier):
        raise DamagedError(
            f"its weights {list(weights)} and depth multiplier {stated} do not fit "
            f"{channels} channels of input"
        )
    _check_bias(context, 2, weights[3])
    return ((batch, *_window(context, *weights[1:3]), weights[3]),)


def _check_bias(context: Context, place: int, channels: int) -> None:
    bias = context.read(place)
    if bias is not None and elements(bias.shape) != channels:
        raise DamagedError(
            f"its bias has {elements(bias.shape)} values for {channels} channels"
        )


def transposed(context: Context) -> tuple[_Shape, ...] | None:
    """Return the shape of TRANSPOSE_CONV."""
    weights, source = context.shape4(1), context.shape4(2)
    if weights[3] != source[3]:
        raise DamagedError(
            f"its weights {list(weights)} do not fit {source[3]} channels of input"
        )
    _check_bias(context, 3, weights[0])
    wanted = context.constants(0)
    if wanted is None:
        return None
    if len(wanted) != 4 or wanted[0] != source[0] or wanted[3] != weights[0]:
        raise DamagedError(f"it cannot give the shape {list(wanted)}")
    return (wanted,)


def pool(context: Context) -> tuple[_Shape, ...]:
    """Return the shape of a pooling."""
    batch, _, _, channels = context.shape4(0)
    options = context.options
    window = _window(context, options["filterHeight"], options["filterWidth"])
    return ((batch, *window, channels),)


def dense(context: Context) -> tuple[_Shape, ...] | None:
    """Return the shape of FULLY_CONNECTED."""
    source, weights = context.shape(0), context.shape(1)
    if context.options["weightsFormat"]:
        return None
    if len(weights) != 2 or elements(source) % weights[1]:
        raise DamagedError(
            f"its weights {list(weights)} do not fit an input {list(source)}"
        )
    _check_bias(context, 2, weights[0])
    return as_stated(context, elements(source) // weights[1] * weights[0])


def as_stated(context: Context, count: int) -> tuple[_Shape, ...]:
    """Return the stated shape if it has so many elements."""
    stated = context.written(0).shape
    if elements(stated) == count:
        return (stated,)
    raise DamagedError(f"it gives {count} values, the file says {list(stated)}")


def resized(context: Context) -> tuple[_Shape, ...] | None:
    """Return the shape of a resizing."""
    batch, _, _, channels = context.shape4(0)
    size = context.constants(1)
    if size is None:
        return None
    if len(size) != 2 or min(size) < 1:
        raise DamagedError(f"it resizes to {list(size)}, expected two sides")
    return ((batch, *size, channels),)


def to_depth(context: Context) -> tuple[_Shape, ...]:
    """Return the shape of SPACE_TO_DEPTH."""
    (batch, height, width, channels), block = _blocks(context)
    if height % block or width % block:
        raise DamagedError(f"blocks of {block} do not fit {height}x{width}")
    return ((batch, height // block, width // block, channels * block * block),)


def from_depth(context: Context) -> tuple[_Shape, ...]:
    """Return the shape of DEPTH_TO_SPACE."""
    (batch, height, width, channels), block = _blocks(context)
    if channels % (block * block):
        raise DamagedError(f"blocks of {block} do not fit {channels} channels")
    return ((batch, height * block, width * block, channels // (block * block)),)


def _blocks(context: Context) -> tuple[tuple[int, int, int, int], int]:
    return context.shape4(0), context.options["blockSize"]
