"""The nodes and functions that a tensor of a TensorFlow graph is computed with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edgeseg.converter.frameworks import GraphDef, NodeDef, ProtobufMessage


@dataclass(frozen=True)
class Subgraph:
    """Part of a graph.

    Parameters
    ----------
    nodes : frozenset of str
        Names of nodes of the graph itself.
    functions : frozenset of str
        Names of the functions that they call, and that these call.
    """

    nodes: frozenset[str]
    functions: frozenset[str]

    def __sub__(self, other: Subgraph) -> Subgraph:
        return Subgraph(self.nodes - other.nodes, self.functions - other.functions)


def reach(
    graph: GraphDef, starts: Iterable[str], ends: frozenset[str] = frozenset()
) -> Subgraph:
    """Return what tensors are computed with.

    Parameters
    ----------
    graph : GraphDef
        With its library of functions.
    starts : iterable of str
        Names of the tensors, or of nodes.
    ends : frozenset of str
        Nodes to go no further at; they are no part of the result.
    """
    nodes = {node.name: node for node in graph.node}
    found: set[str] = set()
    waiting = [node_name(start) for start in starts]
    while waiting:
        name = waiting.pop()
        if name in nodes and name not in found and name not in ends:
            found.add(name)
            waiting += [node_name(one) for one in nodes[name].input]
    return Subgraph(
        frozenset(found), _functions(graph, [nodes[name] for name in sorted(found)])
    )


def saver_of(graph: GraphDef) -> Subgraph:
    """Return the part of a graph that only saves and restores variables.

    Parameters
    ----------
    graph : MetaGraphDef
        Of a SavedModel.
    """
    used = [
        info.name
        for one in graph.signature_def.values()
        for info in one.outputs.values()
    ]
    ends = (graph.saver_def.save_tensor_name, graph.saver_def.restore_op_name)
    return reach(graph.graph_def, ends) - reach(graph.graph_def, used)


def called(value: ProtobufMessage) -> Iterator[NodeDef]:
    """Yield what names a function in an attribute of a node, at any depth.

    Parameters
    ----------
    value : AttrValue
        The attribute.
    """
    for named in (value.func, *value.list.func):
        if named.name:
            yield named
        for inner in named.attr.values():
            yield from called(inner)


def node_name(tensor: str) -> str:
    """Return the node of a tensor.

    Examples
    --------
    >>> node_name("scores:0"), node_name("^ready")
    ('scores', 'ready')
    """
    return tensor.lstrip("^").partition(":")[0]


def _functions(graph: GraphDef, nodes: list[NodeDef]) -> frozenset[str]:
    bodies = {one.signature.name: one.node_def for one in graph.library.function}
    found: set[str] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        names = [one.name for value in node.attr.values() for one in called(value)]
        for name in (node.op, *names):
            if name in bodies and name not in found:
                found.add(name)
                waiting += bodies[name]
    return frozenset(found)
