"""Exact rewrites of operators before they are drawn.

Dilated convolutions used to be written as three operators, and PyTorch's padding as a
PAD of its own; a convolution says both by itself, and is faster so.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from edgeseg.converter.loading.tflite.call import SAME, VALID
from edgeseg.converter.loading.tflite.source import CONVERSIONS
from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from edgeseg.converter.loading.tflite.source import TFLiteSource
    from edgeseg.devices.placement.graph import Operator

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_PADS = ("PAD", "PADV2")
# Options of a PAD that is left over of a dilated convolution
PADS, CROPS = "pads", "crops"


def rewrite(source: TFLiteSource) -> None:
    """Rewrite the operators of a source in place.

    Parameters
    ----------
    source : TFLiteSource
        Its constants are computed.

    Raises
    ------
    ModelError
        SPACE_TO_BATCH_ND stands for something else than a dilated convolution.
    """
    _drop_conversions(source)
    _join_dilated(source)
    _join_pads(source)
    _join_crops(source)


def _drop_conversions(source: TFLiteSource) -> None:
    """Let readers of a converted value read the value itself."""
    same: dict[int, int] = {}
    left = []
    for operator in source.operators:
        inputs = tuple(same.get(t, t) for t in operator.inputs)
        current = dataclasses.replace(operator, inputs=inputs)
        if _changes_nothing(source, current):
            same[current.outputs[0]] = current.inputs[0]
        else:
            left.append(current)
    source.operators = left
    source.output_indices = tuple(same.get(t, t) for t in source.output_indices)


def _changes_nothing(source: TFLiteSource, operator: Operator) -> bool:
    if operator.kind not in CONVERSIONS or len(operator.inputs) != 1:
        return False
    before, after = operator.inputs[0], operator.outputs[0]
    if before in source.constants:
        return False
    if operator.kind == "CAST":
        kinds = {source.tensor(t).dtype[:5] for t in (before, after)}
        return kinds == {"float"} or after in source.output_indices
    # integers that cannot be below 0 cut off what is
    cuts = source.implied_activation(after)
    return cuts is None or source.implied_activation(before) == cuts


def _join_dilated(source: TFLiteSource) -> None:
    for operator in list(source.operators):
        if operator.kind == "SPACE_TO_BATCH_ND":
            _join_one_dilated(source, operator)


def _join_one_dilated(source: TFLiteSource, first: Operator) -> None:
    """Write SPACE_TO_BATCH_ND, a convolution and BATCH_TO_SPACE_ND as one."""
    middle = source.only_reader(first.outputs[0])
    last = None if middle is None else source.only_reader(middle.outputs[0])
    known = [] if last is None else [*first.inputs[1:3], *last.inputs[1:3]]
    if (
        middle is None
        or last is None
        or middle.kind not in _CONVOLUTIONS
        or last.kind != "BATCH_TO_SPACE_ND"
        or any(t not in source.constants for t in known)
        or not _is_plain(middle)
    ):
        raise ModelError(
            f"{source.path}: operator {first.index} SPACE_TO_BATCH_ND is not part of a "
            "dilated convolution: convert the model that the file was made of"
        )
    block, pads, again, crops = (source.constants[t].tolist() for t in known)
    if block != again or any(c[0] for c in crops):
        raise ModelError(
            f"{source.path}: operator {first.index} SPACE_TO_BATCH_ND and the "
            "BATCH_TO_SPACE_ND behind it do not fit together: the model is damaged"
        )
    outer = [(p[0], p[1] - c[1]) for p, c in zip(pads, crops, strict=True)]
    options = {
        **middle.options,
        "dilationHFactor": block[0],
        "dilationWFactor": block[1],
    }
    joined = dataclasses.replace(
        middle,
        inputs=(first.inputs[0], *middle.inputs[1:]),
        outputs=last.outputs,
        options=options,
    )
    if middle.options.get("padding", SAME) == SAME:
        # inside a block SAME pads as well: half a dilated window on each side
        outer = [(0, 0), (0, 0)]
    _place(source, joined, [first, middle, last], outer)


def _is_plain(operator: Operator) -> bool:
    names = ("strideH", "strideW", "dilationHFactor", "dilationWFactor")
    return all((operator.options.get(name) or 1) == 1 for name in names)


def _place(
    source: TFLiteSource,
    joined: Operator,
    old: list[Operator],
    pads: list[tuple[int, int]],
) -> None:
    """Put a convolution in the place of some operators, with padding of its own."""
    if pads == _same_pads(source, joined):
        joined = _with_padding(joined, SAME)
    elif any(any(pair) for pair in pads):
        joined = _with_padding(joined, VALID, {PADS: pads})
    indices = {operator.index for operator in old}
    place = max(n for n, op in enumerate(source.operators) if op.index in indices)
    source.operators[place] = joined
    source.operators = [
        op for op in source.operators if op is joined or op.index not in indices
    ]


def _join_pads(source: TFLiteSource) -> None:
    """Let a convolution pad by itself where it pads by the same amounts."""
    for pad in [op for op in source.operators if op.kind in _PADS]:
        reader = source.only_reader(pad.outputs[0])
        pads = _spatial_pads(source, pad)
        if (
            reader is None
            or pads is None
            or reader.kind not in _CONVOLUTIONS
            or reader.options.get("padding", SAME) != VALID
        ):
            continue
        inputs = (pad.inputs[0], *reader.inputs[1:])
        joined = dataclasses.replace(reader, inputs=inputs)
        if pads == _same_pads(source, joined):
            _place(source, joined, [pad, reader], pads)


def _spatial_pads(source: TFLiteSource, pad: Operator) -> list[tuple[int, int]] | None:
    """Return rows and columns of zeros that a PAD adds, None for any other PAD."""
    pads = source.constants.get(pad.inputs[1])
    if pads is None or pads.shape != (4, 2) or pads[[0, 3]].any():
        return None
    if len(pad.inputs) > 2 and pad.inputs[2] >= 0:
        value = source.real(pad.inputs[2])
        if value is None or value.any():
            return None
    return [(int(low), int(high)) for low, high in pads[1:3]]


def _same_pads(source: TFLiteSource, operator: Operator) -> list[tuple[int, int]]:
    """Return what SAME would add to a convolution's input, above and below."""
    shape = source.tensor(operator.inputs[0]).shape
    kernel = source.tensor(operator.inputs[1]).shape
    found = []
    for axis, side in ((1, "H"), (2, "W")):
        stride = operator.options.get(f"stride{side}") or 1
        dilation = operator.options.get(f"dilation{side}Factor") or 1
        window = (kernel[axis] - 1) * dilation + 1
        cells = math.ceil(shape[axis] / stride)
        total = max((cells - 1) * stride + window - shape[axis], 0)
        found.append((total // 2, total - total // 2))
    return found


def _join_crops(source: TFLiteSource) -> None:
    """Let a transposed convolution leave out the border that is cut off behind it."""
    for crop in [op for op in source.operators if op.kind == "STRIDED_SLICE"]:
        maker = source.producer(crop.inputs[0])
        if (
            maker is None
            or maker.kind != "TRANSPOSE_CONV"
            or maker.options.get("padding", SAME) != VALID
            or source.only_reader(maker.outputs[0]) is not crop
            or not _cuts_to_same(source, maker, crop)
        ):
            continue
        joined = _with_padding(dataclasses.replace(maker, outputs=crop.outputs), SAME)
        place = source.operators.index(maker)
        source.operators[place] = joined
        source.operators.remove(crop)


def _cuts_to_same(source: TFLiteSource, maker: Operator, crop: Operator) -> bool:
    """Return whether a crop leaves what SAME padding would have made."""
    begin = source.constants.get(crop.inputs[1])
    steps = source.constants.get(crop.inputs[3])
    if begin is None or steps is None or len(begin) != 4 or (steps != 1).any():
        return False
    if any(crop.options.get(f"{n}Mask") for n in ("ellipsis", "newAxis", "shrinkAxis")):
        return False
    given = source.tensor(maker.inputs[2]).shape
    kernel = source.tensor(maker.inputs[1]).shape
    made = source.tensor(crop.outputs[0]).shape
    mask = int(crop.options.get("beginMask") or 0)
    for axis, side in ((1, "H"), (2, "W")):
        stride = int(maker.options.get(f"stride{side}") or 1)
        start = 0 if mask & (1 << axis) else int(begin[axis])
        if made[axis] != given[axis] * stride:
            return False
        if start != max(kernel[axis] - stride, 0) // 2:
            return False
    return True


def _with_padding(
    operator: Operator, padding: int, more: dict[str, object] | None = None
) -> Operator:
    options = {**operator.options, "padding": padding, **(more or {})}
    return dataclasses.replace(operator, options=options)
