"""The end of a network that the host can do as well, and how to leave it to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.devices.placement.graph import ModelGraph, Operator

# They change no order of scores, and what the host does about them
_ORDERED = ("SOFTMAX", "LOG_SOFTMAX", "LOGISTIC")
_WRAPPING = ("QUANTIZE", "DEQUANTIZE", "CAST", "RESHAPE")


@dataclass(frozen=True)
class HostTail:
    """What the host can do at the end.

    Parameters
    ----------
    operators : frozenset of int
        Their indices.
    head : str
        Value of ``convert --head`` that leaves them to the host; empty where none
        does.
    """

    operators: frozenset[int]
    head: str


def host_tail(graph: ModelGraph) -> HostTail:
    """Return what `convert` can take off the end of a network.

    The same rules as its: what keeps the order of scores, and the last bilinear
    upsampling, with at most a 1x1 convolution behind it.
    """
    producers, found = graph.producers(), []
    tensor = graph.outputs[0]
    while (last := producers.get(tensor)) is not None and last.kind in (
        *_ORDERED,
        *_WRAPPING,
        "ARG_MAX",
    ):
        found.append(last)
        tensor = last.inputs[0]
    resize = None if last is None else _upsampling(graph, last)
    if resize is not None:
        found.append(resize)
    kinds = {operator.kind for operator in found}
    shortened = resize is not None or kinds & set(_ORDERED)
    head = "logits-stride" if shortened else "logits" if "ARG_MAX" in kinds else ""
    return HostTail(frozenset(operator.index for operator in found), head)


def _upsampling(graph: ModelGraph, last: Operator) -> Operator | None:
    if _enlarges(graph, last):
        return last
    if last.kind != "CONV_2D" or last.options.get("fusedActivationFunction"):
        return None
    if graph.tensors[last.inputs[1]].shape[1:3] != (1, 1):
        return None
    before = graph.producers().get(last.inputs[0])
    while before is not None and before.kind == "QUANTIZE":
        before = graph.producers().get(before.inputs[0])
    if before is None or len(graph.consumers(before.outputs[0])) != 1:
        return None
    return before if _enlarges(graph, before) else None


def _enlarges(graph: ModelGraph, operator: Operator) -> bool:
    if operator.kind != "RESIZE_BILINEAR":
        return False
    before = graph.read(operator)[0].shape[1:3]
    after = graph.written(operator)[0].shape[1:3]
    return after != before and all(a >= b for a, b in zip(after, before, strict=True))
