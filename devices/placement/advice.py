"""What to change in a model so that a board's accelerator takes more of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edgeseg.devices.placement.interpolation import MEMORY
from edgeseg.devices.placement.partition import ancestors
from edgeseg.devices.placement.result import Advice
from edgeseg.devices.placement.tail import host_tail

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeseg.devices.placement.graph import ModelGraph
    from edgeseg.devices.placement.result import Placed

    Adviser = Callable[[ModelGraph, list[Placed]], list[Advice]]

# A picture with less than half the side is another task: no advice
_LEAST_FACTOR = 0.5
_RESIZES = ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")
# Activations that the Edge TPU lacks, and RELU6 may stand for
_ACTIVATIONS = ("LEAKY_RELU", "HARD_SWISH", "ELU", "GELU", "EXP", "DIV", "ABS")


def coral_advice(graph: ModelGraph, placed: Sequence[Placed]) -> tuple[Advice, ...]:
    """Return what lets an Edge TPU run more of a model."""
    advisers: tuple[Adviser, ...] = (
        _quantize,
        _fixed,
        _broadcast,
        _tail,
        _inner_resize,
        _interface,
        _other,
    )
    found: list[Advice] = []
    for adviser in advisers:
        known = {index for advice in found for index in advice.operators}
        left = [op for op in placed if op.blocking and op.index not in known]
        found += adviser(graph, left)
    return tuple(found)


def xnnpack_advice(
    graph: ModelGraph, placed: Sequence[Placed], refused: str
) -> tuple[Advice, ...]:
    """Return what lets XNNPACK run more of a model."""
    if refused and "zero-point" in refused:
        text = (
            "XNNPACK wants weights with a zero point of 0, as edgeseg convert makes: "
            "convert the model anew"
        )
        return (Advice((), text, "--recipe int8"),)
    if refused:
        text = "XNNPACK cannot prepare this file: convert the model anew"
        return (Advice((), text, "--recipe int8"),)
    return tuple(_argmax(graph, placed))


def gpu_advice(graph: ModelGraph, placed: Sequence[Placed]) -> tuple[Advice, ...]:
    """Return what lets a GPU run more of a model, and run it faster."""
    found = _argmax(graph, placed)
    made = [t for op in graph.operators for t in graph.written(op)]
    if any(t.dtype in ("int8", "uint8") for t in made):
        text = (
            "a GPU computes in floats and dequantizes an 8-bit model first: float16 is "
            "its own type, and at least as precise"
        )
        found.append(Advice((), text, "--recipe float16"))
    return tuple(found)


def _argmax(graph: ModelGraph, placed: Sequence[Placed]) -> list[Advice]:
    found = tuple(o.index for o in placed if o.op == "ARG_MAX" and o.placement == "cpu")
    if not found:
        return []
    text = (
        f"operator {found[0]} ARG_MAX runs on the CPU over a map of the picture's "
        "size: with scores at the network's own grid the host does it at the end"
    )
    return [Advice(found, text, f"--head {host_tail(graph).head or 'logits'}")]


def _quantize(graph: ModelGraph, left: list[Placed]) -> list[Advice]:
    """Return advice for a model whose arithmetic is not 8-bit."""
    heavy = [op for op in left if op.macs and "works on" in op.reason]
    if not heavy:
        return []
    types = sorted({op.reason.split("works on ")[1].split(",")[0] for op in heavy})
    text = (
        f"the model computes in {' and '.join(types)}; an Edge TPU computes in 8 bits "
        "alone"
    )
    found = tuple(op.index for op in left if "works on" in op.reason)
    return [Advice(found, text, "--recipe int8 --calibration PHOTOS")]


def _fixed(graph: ModelGraph, left: list[Placed]) -> list[Advice]:
    found = tuple(op.index for op in left if "fixed size" in op.reason)
    if not found:
        return []
    text = "the batch is left open: edgeseg convert fixes it at one picture"
    return [Advice(found, text, "--size N")]


def _broadcast(graph: ModelGraph, left: list[Placed]) -> list[Advice]:
    """Return advice for the resize of a map of one cell: it only repeats it."""
    found = []
    for op in left:
        if op.op in _RESIZES and op.reason.startswith("a map of one cell"):
            text = (
                f"{op.title} keeps the {_after(graph, op)} on the CPU. A resize of a "
            )
            if _feeds_convolution(graph, op):
                text += (
                    "1x1 map is a broadcast, so that conv1x1(concat(broadcast(p), a)) "
                    "= conv_p(p) + conv_a(a): the rewrite does without it, exactly"
                )
                found.append(Advice((op.index,), text, "--pooling split"))
            else:
                text += "1x1 map is a broadcast: TILE does the same, exactly"
                found.append(Advice((op.index,), text, "--pooling tile"))
    return found


def _feeds_convolution(graph: ModelGraph, op: Placed) -> bool:
    """Return whether a 1x1 convolution over a concatenation follows a resize."""
    tensor = graph.operators[op.index].outputs[0]
    for kind in ("CONCATENATION", "CONV_2D"):
        readers = graph.consumers(tensor)
        while len(readers) == 1 and readers[0].kind == "QUANTIZE":
            readers = graph.consumers(readers[0].outputs[0])
        if len(readers) != 1 or readers[0].kind != kind:
            return False
        last, tensor = readers[0], readers[0].outputs[0]
    return graph.tensors[last.inputs[1]].shape[1:3] == (1, 1)


def _after(graph: ModelGraph, op: Placed) -> str:
    """Return how much depends on an operator, in words."""
    from edgeseg.devices.placement.graph import macs

    each = {o.index: macs(graph, o) for o in graph.operators}
    behind = [i for i in each if op.index in ancestors(graph, i)]
    share = sum(each[i] for i in behind) / max(sum(each.values()), 1)
    return f"{len(behind)} operators after it ({share:.1%} of the multiply-adds)"


def _tail(graph: ModelGraph, left: list[Placed]) -> list[Advice]:
    """Return advice for what the host can do after the network."""
    tail = host_tail(graph)
    found = [op for op in left if op.index in tail.operators]
    if not found or not tail.head:
        return []
    names = " and ".join(f"{op.index} {op.op} {op.shapes}" for op in found)
    several = "s" if len(found) > 1 else ""
    text = (
        f"operator{several} {names}: the end of the network, which the host does as "
        "well: it upsamples the scores once, from the network's own grid to the "
        "picture, and takes the largest"
    )
    return [Advice(tuple(o.index for o in found), text, f"--head {tail.head}")]


def _inner_resize(graph: ModelGraph, left: list[Placed]) -> list[Advice]:
    found = []
    for op in (op for op in left if op.op in _RESIZES):
        made = graph.written(graph.operators[op.index])[0]
        if made.bytes > MEMORY:
            found.append(_too_large(graph, op, made.bytes))
        elif not _is_whole(graph, op):
            size = _whole(graph, op)
            text = (
                f"{op.title} enlarges by no whole number, in steps that 8-bit weights "
                f"cannot hold: with pictures of {size} the grids fit into each other"
            )
            found.append(Advice((op.index,), text, f"--size {size}"))
        else:
            text = (
                f"{op.title} enlarges in steps that 8-bit weights cannot hold: from a "
                "finer grid it has to do less"
            )
            found.append(Advice((op.index,), text, "--output-stride 8"))
    return found


def _too_large(graph: ModelGraph, op: Placed, made: int) -> Advice:
    """Return advice for a map that does not fit on chip."""
    text = f"{op.title} makes {made / 1e6:.1f} MB, too much beside the rest on chip"
    factor = math.sqrt(MEMORY / made)
    if factor < _LEAST_FACTOR:
        text += ": train with fewer channels there, or upsample by the host at the end"
        return Advice((op.index,), text)
    size = _smaller(graph, factor)
    return Advice(
        (op.index,), f"{text}: with pictures of {size} it fits", f"--size {size}"
    )


def _is_whole(graph: ModelGraph, op: Placed) -> bool:
    """Return whether a resize enlarges by a whole number, by its own alignment."""
    operator = graph.operators[op.index]
    extra = 1 if operator.options.get("alignCorners") else 0
    before = graph.read(operator)[0].shape[1:3]
    after = graph.written(operator)[0].shape[1:3]
    pairs = zip(before, after, strict=True)
    return all((b - extra) % max(a - extra, 1) == 0 for a, b in pairs)


def _whole(graph: ModelGraph, op: Placed) -> str:
    """Return the size nearest to the model's own whose grids fit into each other."""
    extra = 1 if graph.operators[op.index].options.get("alignCorners") else 0
    stride = max(_stride(graph), 16)
    height, width = graph.tensors[graph.inputs[0]].shape[1:3]
    return _text(*(max(side // stride, 1) * stride + extra for side in (height, width)))


def _text(height: int, width: int) -> str:
    return str(height) if height == width else f"{height}x{width}"


def _smaller(graph: ModelGraph, factor: float) -> str:
    """Return a size that fits every stride, at most `factor` of the model's own."""
    height, width = graph.tensors[graph.inputs[0]].shape[1:3]
    stride, sides = _stride(graph), []
    for side in (height, width):
        extra = side % stride if side % stride == 1 else 0
        cells = max(int(side * factor - extra) // stride, 1)
        sides.append(cells * stride + extra)
    return _text(sides[0], sides[1])


def _stride(graph: ModelGraph) -> int:
    """Return the pixels of the input that a cell of the coarsest map stands for."""
    side = graph.tensors[graph.inputs[0]].shape[1]
    maps = [
        t.shape[1]
        for op in graph.operators
        for t in graph.written(op)
        if len(t.shape) == 4 and t.shape[1] > 1
    ]
    smallest = min([side, *maps])
    return next(
        n for n in (1, 2, 4, 8, 16, 32, 64, 1 << 20) if n >= round(side / smallest)
    )


def _interface(graph: ModelGraph, left: list[Placed]) -> list[Advice]:
    """Return advice for conversions from and to float at the model's ends."""
    found = tuple(op.index for op in left if op.op in ("QUANTIZE", "DEQUANTIZE"))
    if not found:
        return []
    text = (
        "the model takes or gives floats, and the CPU converts them: with 8-bit ends "
        "there is nothing to convert"
    )
    return [Advice(found, text, "--io uint8")]


def _other(graph: ModelGraph, left: list[Placed]) -> list[Advice]:
    found = []
    for op in left:
        if op.op in _ACTIVATIONS:
            text = (
                f"{op.title}: train with RELU or RELU6, which every operator takes in"
            )
        else:
            text = f"{op.title}: {op.reason}"
        found.append(Advice((op.index,), text))
    return found[:5]  # the first ones keep the others from being mapped
