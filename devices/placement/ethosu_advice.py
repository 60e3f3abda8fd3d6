"""What to change in a model so that an Ethos-U takes more of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.placement.result import Advice
from edgeseg.devices.placement.tail import host_tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.devices.placement.graph import ModelGraph
    from edgeseg.devices.placement.result import Placed

_RESIZES = ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")
_LISTED = 5  # of what no option of `convert` helps


def ethosu_advice(graph: ModelGraph, placed: Sequence[Placed]) -> tuple[Advice, ...]:
    """Return what lets an Ethos-U run more of a model."""
    left = [op for op in placed if op.placement == "cpu"]
    floats = tuple(op.index for op in left if "works on float" in op.reason)
    found = []
    if any(op.macs for op in left if op.index in floats):
        text = "the model computes in floats; an Ethos-U computes in integers alone"
        found.append(Advice(floats, text, "--recipe int8 --calibration PHOTOS"))
        left = [op for op in left if op.index not in floats]
    ends = tuple(op.index for op in left if op.op in ("QUANTIZE", "DEQUANTIZE"))
    if ends:
        text = (
            "the model takes or gives floats, and the CPU converts them: with 8-bit "
            "ends there is nothing to convert"
        )
        found.append(Advice(ends, text, "--io int8"))
    tail = host_tail(graph)
    end = [op for op in left if op.index in tail.operators and op.index not in ends]
    if end and tail.head:
        names = " and ".join(f"{op.index} {op.op} {op.shapes}" for op in end)
        text = (
            f"operator{'s' if len(end) > 1 else ''} {names}: the end of the network, "
            "which the host does as well, from the network's own grid"
        )
        found.append(Advice(tuple(op.index for op in end), text, f"--head {tail.head}"))
    known = {index for advice in found for index in advice.operators}
    rest = [op for op in left if op.index not in known]
    return (*found, *map(_other, rest[:_LISTED]))


def _other(op: Placed) -> Advice:
    hint = ""
    if op.op in _RESIZES:
        hint = ": a size whose grids fit into each other by such a factor is taken"
    return Advice((op.index,), f"{op.title}: {op.reason}{hint}")
