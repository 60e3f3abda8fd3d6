"""Where Arm's compiler would put each operator of a model for an Ethos-U.

It decides operator by operator: what the chip takes goes there, in as many pieces as
the others leave. See `edgeseg.devices.placement.ethosu_rules`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.placement.ethosu_rules import refusal
from edgeseg.devices.placement.result import OperatorVerdict

if TYPE_CHECKING:
    from edgeseg.devices.placement.graph import ModelGraph

CUSTOM = "ethos-u"
ORIGIN = "prediction from the published constraints of the Ethos-U and its compiler"
COMPILED = "the compiled file itself"


def predict(graph: ModelGraph, chip: str) -> tuple[OperatorVerdict, ...]:
    """Return for each operator whether the compiler would map it, and why not."""
    reasons = [refusal(graph, op, chip) for op in graph.operators]
    return tuple(
        OperatorVerdict("cpu", reason, blocking=True)
        if reason
        else OperatorVerdict("ethosu", "supported")
        for reason in reasons
    )


def read_compiled(graph: ModelGraph) -> tuple[OperatorVerdict, ...]:
    """Return the operators of a compiled model: inside a custom one, or left out."""
    return tuple(
        OperatorVerdict("ethosu", "the part that was compiled")
        if op.kind == CUSTOM
        else OperatorVerdict("cpu", "the compiler left it outside", blocking=True)
        for op in graph.operators
    )
