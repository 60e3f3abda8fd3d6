"""The shape that an operator gives, from what it reads and its options.

Each rule returns one shape an output, or None where it cannot be known before the
model runs; it raises `DamagedError` where the inputs do not fit each other.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from edgeseg.devices.tflite_file import picture_shapes as pictures
from edgeseg.devices.tflite_file.flatbuffer import DamagedError
from edgeseg.devices.tflite_file.names import words
from edgeseg.devices.tflite_file.tensor_rules import elements

if TYPE_CHECKING:
    from edgeseg.devices.tflite_file.shapes_context import Context

_Shape = tuple[int, ...]
_Rule = Callable[["Context"], "tuple[_Shape, ...] | None"]


def _unchanged(context: Context) -> tuple[_Shape, ...]:
    return (context.shape(0),)


def _combined(context: Context) -> tuple[_Shape, ...]:
    first, second = context.shape(0), context.shape(1)
    sides = []
    for a, b in itertools.zip_longest(first[::-1], second[::-1], fillvalue=1):
        if a != b and 1 not in (a, b):
            raise DamagedError(
                f"shapes {list(first)} and {list(second)} cannot be combined"
            )
        sides.append(b if a == 1 else a)
    return (tuple(sides[::-1]),)


def _reshaped(context: Context) -> tuple[_Shape, ...] | None:
    wanted = context.constants(1)
    count = elements(context.shape(0))
    if wanted is not None and len(wanted) > 8:
        raise DamagedError(f"its shape has {len(wanted)} dimensions")
    if wanted and (min(wanted) < -1 or math.prod(n for n in wanted if n > 0) > count):
        raise DamagedError(f"it cannot give the shape {list(wanted)}")
    return pictures.as_stated(context, count) if context.written(0).shape else None


def _same_count(context: Context) -> tuple[_Shape, ...] | None:
    stated = context.written(0).shape
    return pictures.as_stated(context, elements(context.shape(0))) if stated else None


def _padded(context: Context) -> tuple[_Shape, ...] | None:
    shape, margins = context.shape(0), context.constants(1)
    if margins is None:
        return None
    if len(margins) != 2 * len(shape) or min(margins, default=0) < 0:
        raise DamagedError(f"its margins {list(margins)} do not fit {list(shape)}")
    both = zip(margins[::2], margins[1::2], strict=True)
    if context.operator.kind == "MIRROR_PAD" and max(margins, default=0) > max(shape):
        raise DamagedError("its margins are wider than what they mirror")
    return (tuple(n + sum(pair) for n, pair in zip(shape, both, strict=True)),)


def _axis(axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise DamagedError(f"its axis is {axis}, its input has {rank} dimensions")
    return axis % rank


def _joined(context: Context) -> tuple[_Shape, ...]:
    shapes = [context.shape(i) for i in range(len(context.operator.inputs))]
    axis = _axis(context.options["axis"], len(shapes[0]))
    rest = {(len(s), s[:axis], s[axis + 1 :]) for s in shapes}
    if len(rest) != 1:
        raise DamagedError(f"{[list(s) for s in shapes]} cannot be put together")
    first = shapes[0]
    return ((*first[:axis], sum(s[axis] for s in shapes), *first[axis + 1 :]),)


def _reduced(context: Context) -> tuple[_Shape, ...] | None:
    shape, axes = context.shape(0), context.constants(1)
    if axes is None or not shape:
        return None
    gone = {_axis(axis, len(shape)) for axis in axes}
    if context.options["keepDims"]:
        return (tuple(1 if i in gone else n for i, n in enumerate(shape)),)
    return (tuple(n for i, n in enumerate(shape) if i not in gone),)


def _best(context: Context) -> tuple[_Shape, ...] | None:
    shape, axes = context.shape(0), context.constants(1)
    if axes is None:
        return None
    if len(axes) != 1:
        raise DamagedError(f"it has {len(axes)} axes, expected one")
    axis = _axis(axes[0], len(shape))
    return (shape[:axis] + shape[axis + 1 :],)


def _split(context: Context) -> tuple[_Shape, ...] | None:
    shape, axes = context.shape(1), context.constants(0)
    parts = context.options["numSplits"]
    if parts != context.results:
        raise DamagedError(f"it splits in {parts}, and writes {context.results}")
    if not axes:
        return None
    axis = _axis(axes[0], len(shape))
    if shape[axis] % parts:
        raise DamagedError(f"{list(shape)} cannot be split in {parts}")
    return ((*shape[:axis], shape[axis] // parts, *shape[axis + 1 :]),) * parts


def _strided(context: Context) -> tuple[_Shape, ...] | None:
    shape, options = context.shape(0), context.options
    begin, end, steps = (context.constants(i) for i in (1, 2, 3))
    if begin is None or end is None or steps is None:
        return None
    if not len(begin) == len(end) == len(steps) or len(begin) > 8 or 0 in steps:
        raise DamagedError(f"its steps {list(steps)} do not fit {list(shape)}")
    if any(options[f"{n}Mask"] for n in ("ellipsis", "newAxis", "shrinkAxis")):
        return None
    if len(begin) > len(shape):
        raise DamagedError(f"it slices {len(begin)} dimensions of {len(shape)}")
    sides = list(shape)
    for i, step in enumerate(steps):
        first = None if options["beginMask"] >> i & 1 else begin[i]
        last = None if options["endMask"] >> i & 1 else end[i]
        sides[i] = len(range(*slice(first, last, step).indices(shape[i])))
    return (tuple(sides),)


def _sliced(context: Context) -> tuple[_Shape, ...] | None:
    shape, begin, sizes = context.shape(0), context.constants(1), context.constants(2)
    if begin is None or sizes is None:
        return None
    if not len(begin) == len(sizes) == len(shape):
        raise DamagedError(f"its slice does not fit {list(shape)}")
    taken = []
    for side, first, size in zip(shape, begin, sizes, strict=True):
        count = side - first if size == -1 else size
        if not 0 <= first <= first + count <= side or count < 0:
            raise DamagedError(f"its slice leaves {list(shape)}")
        taken.append(count)
    return (tuple(taken),)


def _permuted(context: Context) -> tuple[_Shape, ...] | None:
    shape, order = context.shape(0), context.constants(1)
    if order is None:
        return None
    places = [_axis(place, len(shape)) for place in order]
    if sorted(places) != list(range(len(shape))):
        raise DamagedError(f"{list(order)} is no order of {len(shape)} dimensions")
    return (tuple(shape[place] for place in places),)


def _tiled(context: Context) -> tuple[_Shape, ...] | None:
    shape, times = context.shape(0), context.constants(1)
    if times is None:
        return None
    if len(times) != len(shape) or min(times, default=1) < 1:
        raise DamagedError(f"it cannot repeat {list(shape)} {list(times)} times")
    return (tuple(n * t for n, t in zip(shape, times, strict=True)),)


def _broadcast(context: Context) -> tuple[_Shape, ...] | None:
    shape, wanted = context.shape(0), context.constants(1)
    if wanted is None:
        return None
    pairs = list(zip(shape[::-1], wanted[::-1], strict=False))
    if len(wanted) < len(shape) or any(n not in (1, w) for n, w in pairs):
        raise DamagedError(f"{list(shape)} cannot be repeated to {list(wanted)}")
    return (wanted,)


def _batches(context: Context) -> None:
    blocks, margins = context.constants(1), context.constants(2)
    if (blocks is not None and min(blocks, default=1) < 1) or (
        margins is not None and min(margins, default=0) < 0
    ):
        raise DamagedError(f"its blocks {blocks} and margins {margins} make no sense")


def _gathered(context: Context) -> None:
    shape, chosen = context.shape(0), context.constants(1)
    axis = _axis(context.options["axis"], len(shape))
    if chosen and not 0 <= min(chosen) <= max(chosen) < shape[axis]:
        raise DamagedError(f"it takes entries that {list(shape)} has not")


SHAPES: dict[str, _Rule] = {
    **dict.fromkeys(
        words(
            "RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 LOGISTIC TANH SOFTMAX LOG_SOFTMAX "
            "ELU HARD_SWISH LEAKY_RELU ABS EXP NEG SQRT RSQRT SQUARE SIN COS LOG "
            "FLOOR CEIL ROUND GELU L2_NORMALIZATION ZEROS_LIKE LOGICAL_NOT SIGN "
            "FAKE_QUANT LOCAL_RESPONSE_NORMALIZATION QUANTIZE DEQUANTIZE CAST "
        ),
        _unchanged,
    ),
    **dict.fromkeys(
        words(
            "ADD SUB MUL DIV MAXIMUM MINIMUM POW FLOOR_DIV FLOOR_MOD "
            "SQUARED_DIFFERENCE PRELU LOGICAL_AND LOGICAL_OR ATAN2 EQUAL NOT_EQUAL "
            "LESS LESS_EQUAL GREATER GREATER_EQUAL "
        ),
        _combined,
    ),
    **dict.fromkeys(
        words("MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD REDUCE_ANY REDUCE_ALL "),
        _reduced,
    ),
    **dict.fromkeys(words("AVERAGE_POOL_2D MAX_POOL_2D L2_POOL_2D "), pictures.pool),
    **dict.fromkeys(words("PAD PADV2 MIRROR_PAD "), _padded),
    **dict.fromkeys(["RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"], pictures.resized),
    **dict.fromkeys(["SQUEEZE", "EXPAND_DIMS"], _same_count),
    **dict.fromkeys(["SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"], _batches),
    **dict.fromkeys(["ARG_MAX", "ARG_MIN"], _best),
    "CONV_2D": pictures.convolution,
    "DEPTHWISE_CONV_2D": pictures.depthwise,
    "TRANSPOSE_CONV": pictures.transposed,
    "FULLY_CONNECTED": pictures.dense,
    "RESHAPE": _reshaped,
    "CONCATENATION": _joined,
    "SPLIT": _split,
    "STRIDED_SLICE": _strided,
    "SLICE": _sliced,
    "TRANSPOSE": _permuted,
    "TILE": _tiled,
    "BROADCAST_TO": _broadcast,
    "SPACE_TO_DEPTH": pictures.to_depth,
    "DEPTH_TO_SPACE": pictures.from_depth,
    "GATHER": _gathered,
}
