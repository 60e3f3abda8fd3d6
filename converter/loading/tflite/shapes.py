"""Operators that move values and make no new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import KerasTensor
    from edgeseg.converter.loading.tflite.call import Call, Draw

_MODES = ("reflect", "symmetric")  # MirrorPadMode of the schema


def _same(call: Call) -> KerasTensor:
    return call.x


def _cast(call: Call) -> KerasTensor:
    """Keep a number that becomes another floating-point type."""
    return call.x


def _reshape(call: Call) -> KerasTensor:
    shape, keras = call.shapes[0], need("keras")
    if tuple(call.x.shape) == shape:
        return call.x
    if shape[:1] == (1,):
        return keras.layers.Reshape(shape[1:], name=call.name)(call.x)
    return keras.ops.reshape(call.x, shape)


def _transpose(call: Call) -> KerasTensor:
    order, keras = call.numbers(1), need("keras")
    if order[0] == 0:
        return keras.layers.Permute(order[1:], name=call.name)(call.x)
    return keras.ops.transpose(call.x, order)


def _concatenation(call: Call) -> KerasTensor:
    keras = need("keras")
    axis = call.option("axis")
    if all(isinstance(value, keras.KerasTensor) for value in call.values):
        return keras.layers.Concatenate(axis=axis, name=call.name)(list(call.values))
    return keras.ops.concatenate(list(call.values), axis=axis)


def _pack(call: Call) -> KerasTensor:
    return need("keras").ops.stack(list(call.values), axis=call.option("axis"))


def _pad(call: Call) -> KerasTensor:
    keras = need("keras")
    pads = [(int(low), int(high)) for low, high in call.known(1)]
    value = call.optional(2)
    filler = 0.0 if value is None else float(value.ravel()[0])
    if filler == 0 and len(pads) == 4 and pads[0] == pads[3] == (0, 0):
        return keras.layers.ZeroPadding2D(pads[1:3], name=call.name)(call.x)
    return keras.ops.pad(call.x, pads, constant_values=filler)


def _mirror_pad(call: Call) -> KerasTensor:
    pads = [(int(low), int(high)) for low, high in call.known(1)]
    return need("keras").ops.pad(call.x, pads, mode=_MODES[call.option("mode") % 2])


def _slice(call: Call) -> KerasTensor:
    starts, lengths = call.numbers(1), call.shapes[0]
    places = (slice(b, b + n) for b, n in zip(starts, lengths, strict=True))
    return call.x[tuple(places)]


def _strided_slice(call: Call) -> KerasTensor:
    masks = {
        name: call.option(f"{name}Mask")
        for name in ("begin", "end", "ellipsis", "newAxis", "shrinkAxis")
    }
    if masks["ellipsis"] or masks["newAxis"]:
        raise call.unsupported("it adds axes or leaves some out")
    places: list[slice | int] = []
    bounds = zip(call.numbers(1), call.numbers(2), call.numbers(3), strict=True)
    for axis, (begin, end, step) in enumerate(bounds):
        bit = 1 << axis
        if masks["shrinkAxis"] & bit:
            places.append(begin)
            continue
        first = None if masks["begin"] & bit else begin
        last = None if masks["end"] & bit else end
        places.append(slice(first, last, step))
    return call.x[tuple(places)]


def _split(call: Call) -> tuple[KerasTensor, ...]:
    x, axis = call.tensor(1), call.numbers(0)[0]
    return _parts(x, axis, [shape[axis] for shape in call.shapes])


def _split_v(call: Call) -> tuple[KerasTensor, ...]:
    axis = call.numbers(2)[0]
    return _parts(call.x, axis, [shape[axis] for shape in call.shapes])


def _parts(x: KerasTensor, axis: int, lengths: list[int]) -> tuple[KerasTensor, ...]:
    rank, start, parts = len(x.shape), 0, []
    for length in lengths:
        places = [slice(None)] * rank
        places[axis % rank] = slice(start, start + length)
        parts.append(x[tuple(places)])
        start += length
    return tuple(parts)


def _unpack(call: Call) -> tuple[KerasTensor, ...]:
    return tuple(need("keras").ops.unstack(call.x, axis=call.option("axis")))


def _gather(call: Call) -> KerasTensor:
    indices = call.known(1)
    return need("keras").ops.take(call.x, indices, axis=call.option("axis"))


def _broadcast(call: Call) -> KerasTensor:
    """Draw TILE and BROADCAST_TO; a map of one cell is resized, which is the same."""
    shape, keras = call.shapes[0], need("keras")
    was = tuple(call.x.shape)
    if was == shape:
        return call.x
    if len(was) == 4 and was[1:3] == (1, 1) and was[3] == shape[3] and shape[0] == 1:
        from edgeseg.converter.networks.resizing import resize_to

        return resize_to(call.x, (shape[1], shape[2]), "half-pixel", name=call.name)
    if call.kind == "TILE":
        return keras.ops.tile(call.x, call.numbers(1))
    return keras.ops.broadcast_to(call.x, shape)


SHAPES: dict[str, Draw] = {
    "BROADCAST_TO": _broadcast,
    "CAST": _cast,
    "CONCATENATION": _concatenation,
    "DEQUANTIZE": _same,
    "EXPAND_DIMS": _reshape,
    "GATHER": _gather,
    "MIRROR_PAD": _mirror_pad,
    "PACK": _pack,
    "PAD": _pad,
    "PADV2": _pad,
    "QUANTIZE": _same,
    "RESHAPE": _reshape,
    "SLICE": _slice,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "SQUEEZE": _reshape,
    "STRIDED_SLICE": _strided_slice,
    "TILE": _broadcast,
    "TRANSPOSE": _transpose,
    "UNPACK": _unpack,
}
# What has sizes of the file's own input built in, wherever it stands
FIXED_SIZES = frozenset(SHAPES) - {
    "CAST",
    "CONCATENATION",
    "DEQUANTIZE",
    "MIRROR_PAD",
    "PAD",
    "PADV2",
    "QUANTIZE",
    "TRANSPOSE",
}
