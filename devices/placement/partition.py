"""How TensorFlow Lite cuts a graph into pieces for a delegate.

A piece grows as long as any operator of its kind, taken or not taken, has all its
inputs; the first operator that is ready decides the kind of the next piece. The order
in the file counts less than what depends on what: a branch beside an operator that
is refused still goes into the piece before it.

References
----------
``PartitionGraphIntoIndependentNodeSubsets`` in TensorFlow's
``tensorflow/lite/graph_info.cc``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from edgeseg.devices.placement.graph import ModelGraph


@dataclass(frozen=True)
class Piece:
    """Operators that run on one processor without leaving it.

    Parameters
    ----------
    taken : bool
        Whether the accelerator runs them.
    operators : tuple of int
        Their indices.
    """

    taken: bool
    operators: tuple[int, ...]


def pieces(graph: ModelGraph, taken: Collection[int]) -> tuple[Piece, ...]:
    """Return the pieces that a model falls into, in the order in which they run.

    Parameters
    ----------
    graph : ModelGraph
        The model.
    taken : collection of int
        Indices of the operators that the accelerator can run.
    """
    waiting = set(graph.producers())
    left = [op.index for op in graph.operators]
    found = []
    while left:
        ready = [i for i in left if _is_ready(graph, i, waiting)]
        if not ready:
            break  # operators that wait for each other: no valid model has them
        kind = ready[0] in taken
        chosen = _grow(graph, left, waiting, taken, kind)
        found.append(Piece(kind, tuple(sorted(chosen))))
        left = [i for i in left if i not in chosen]
    return tuple(found)


def _grow(
    graph: ModelGraph,
    left: list[int],
    waiting: set[int],
    taken: Collection[int],
    kind: bool,
) -> set[int]:
    """Return all that can join one piece; their outputs wait no longer."""
    chosen: set[int] = set()
    grown = True
    while grown:
        grown = False
        for index in left:
            fits = index not in chosen and (index in taken) == kind
            if fits and _is_ready(graph, index, waiting):
                chosen.add(index)
                waiting.difference_update(graph.operators[index].outputs)
                grown = True
    return chosen


def _is_ready(graph: ModelGraph, index: int, waiting: set[int]) -> bool:
    return waiting.isdisjoint(graph.operators[index].inputs)


def ancestors(graph: ModelGraph, index: int) -> set[int]:
    """Return the indices of all operators that one depends on."""
    producers = graph.producers()
    found: set[int] = set()
    front = [index]
    while front:
        for tensor in graph.operators[front.pop()].inputs:
            made_by = producers.get(tensor)
            if made_by is not None and made_by.index not in found:
                found.add(made_by.index)
                front.append(made_by.index)
    return found
