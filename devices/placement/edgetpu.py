"""Where the Edge TPU compiler would put each operator.

By default it makes one piece for the Edge TPU, from the beginning of the model: what
depends on an operator that is refused stays on the CPU, however well it would fit.
The cutting is TensorFlow Lite's own, see `pieces`; the first piece is kept, not the
largest.

References
----------
"Edge TPU Compiler", https://coral.ai/docs/edgetpu/compiler/ ; google-coral/edgetpu
issues 317 and 461 on "More than one subgraph is not supported".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.placement.edgetpu_rules import refusal
from edgeseg.devices.placement.partition import ancestors, pieces
from edgeseg.devices.placement.result import OperatorVerdict

if TYPE_CHECKING:
    from edgeseg.devices.placement.graph import ModelGraph

CUSTOM = "edgetpu-custom-op"
ORIGIN = "prediction from the published constraints of the Edge TPU and its compiler"
COMPILED = "the compiled file itself"
CACHE = 8 << 20  # bytes of on-chip memory, for parameters and activations


def predict(graph: ModelGraph) -> tuple[OperatorVerdict, ...]:
    """Return for each operator whether the compiler would map it, and why not."""
    refused = {op.index: refusal(graph, op) for op in graph.operators}
    able = [index for index, reason in refused.items() if not reason]
    first = next((p for p in pieces(graph, able) if p.taken), None)
    mapped = set() if first is None else set(first.operators)
    return tuple(
        _verdict(graph, op.index, refused, op.index in mapped) for op in graph.operators
    )


def read_compiled(graph: ModelGraph) -> tuple[OperatorVerdict, ...]:
    """Return the operators of a compiled model: inside its custom one, or left out."""
    return tuple(
        OperatorVerdict("edgetpu", "the part that was compiled")
        if op.kind == CUSTOM
        else OperatorVerdict("cpu", "the compiler left it outside", blocking=True)
        for op in graph.operators
    )


def is_compiled(graph: ModelGraph) -> bool:
    """Return whether a model was compiled for an Edge TPU already."""
    return any(op.kind == CUSTOM for op in graph.operators)


def notes(graph: ModelGraph, verdicts: tuple[OperatorVerdict, ...]) -> tuple[str, ...]:
    """Return what matters on an Edge TPU beyond which operators it runs."""
    mapped = [
        op
        for op, verdict in zip(graph.operators, verdicts, strict=True)
        if verdict.placement == "edgetpu"
    ]
    constants = {t for op in mapped for t in op.inputs if t >= 0}
    stored = sum(graph.tensors[t].bytes for t in constants if graph.tensors[t].constant)
    found = []
    if stored > CACHE:
        found.append(
            f"{stored / 1e6:.1f} MB of parameters do not fit the 8 MB on chip: the "
            "rest is streamed at every inference, which is slower and no failure to map"
        )
    largest = (
        max((sum(t.bytes for t in graph.activations(op)), op.index) for op in mapped)
        if mapped
        else (0, 0)
    )
    if largest[0] > CACHE:
        found.append(
            f"operator {largest[1]} holds {largest[0] / 1e6:.1f} MB of activations at "
            "once, more than the 8 MB on chip: the compiler may split it, or give up "
            "with 'large activation tensors'; a smaller --size avoids that"
        )
    return tuple(found)


def _verdict(
    graph: ModelGraph, index: int, refused: dict[int, str], mapped: bool
) -> OperatorVerdict:
    if mapped:
        return OperatorVerdict("edgetpu", "supported")
    if refused[index]:
        return OperatorVerdict("cpu", refused[index], blocking=True)
    before = [i for i in ancestors(graph, index) if refused[i]]
    if not before:
        return OperatorVerdict(
            "cpu", "supported, but not in the first piece for the Edge TPU"
        )
    blocker = graph.operators[min(before)]
    return OperatorVerdict(
        "cpu",
        f"supported, but after operator {blocker.index} {blocker.kind}, which stays on "
        "the CPU: the compiler makes one piece for the Edge TPU",
    )
