"""From a word on each operator to the whole result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.runtime.placement.partition import pieces
from edgeseg.runtime.placement.result import Placed
from edgeseg.runtime.placement.work import macs, moved_bytes

if TYPE_CHECKING:
    from edgeseg.runtime.placement.graph import ModelGraph, Operator


@dataclass(frozen=True)
class Verdict:
    """Where one operator goes; see `Placed` for the fields."""

    placement: str
    reason: str
    blocking: bool = False


def place(graph: ModelGraph, verdicts: tuple[Verdict, ...]) -> tuple[Placed, ...]:
    """Return every operator with its work and where it goes."""
    return tuple(
        Placed(
            index=op.index,
            op=op.kind,
            placement=verdict.placement,
            reason=verdict.reason,
            macs=macs(graph, op),
            bytes=moved_bytes(graph, op),
            shapes=_shapes(graph, op),
            blocking=verdict.blocking,
        )
        for op, verdict in zip(graph.operators, verdicts, strict=True)
    )


def count_pieces(graph: ModelGraph, verdicts: tuple[Verdict, ...]) -> tuple[int, int]:
    """Return how many pieces the accelerator runs and how often data changes hands."""
    taken = [i for i, verdict in enumerate(verdicts) if verdict.placement != "cpu"]
    found = pieces(graph, taken)
    return sum(piece.taken for piece in found), max(len(found) - 1, 0)


def _shapes(graph: ModelGraph, op: Operator) -> str:
    read = [t for t in graph.read(op) if not t.constant]
    before = _text(read[0].shape) if read else "constant"
    made = graph.written(op)
    return f"{before} -> {_text(made[0].shape)}" if made else before


def _text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape[1:] if len(shape) > 1 else shape)) or "scalar"
