"""The part of a SavedModel that computes scores, cut out of it as a function.

Everything else stays in the file: initializers, resources, assets, other signatures,
and the part that saves and restores. What is cut out has been looked at operator by
operator, and nothing but that is ever handed to TensorFlow.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.converter.loading.savedmodel.operators import NETWORK_OPERATORS, nodes_of
from edgeseg.converter.loading.savedmodel.reach import called, node_name, reach
from edgeseg.converter.loading.savedmodel.variables import VARIABLES
from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.converter.frameworks import GraphDef, KerasTensor, NodeDef, TfFunction
    from edgeseg.converter.loading.savedmodel.graph import Signature
    from edgeseg.devices.types import Json

# Settings of how to run, which a stranger has no say in; "_" starts hints of theirs
_SETTINGS = ("config", "config_proto", "executor_type")
_COUNT = itertools.count()


@dataclass(frozen=True)
class ScoreGraph:
    """A network as a graph of its own.

    Parameters
    ----------
    graph : GraphDef
        Its nodes and functions; the picture and the variables are left open.
    signature : Signature
        Names of its tensors.
    variables : dict of str to NodeDef
        What holds its weights, by name.
    """

    graph: GraphDef
    signature: Signature
    variables: Json


def cut(graph: GraphDef, signature: Signature) -> ScoreGraph:
    """Return what computes a signature's scores.

    Parameters
    ----------
    graph : GraphDef
        Of a SavedModel; left as it is.
    signature : Signature
        From `signature_of`.

    Raises
    ------
    ModelError
        Scores depend on something else than the picture and variables.
    """
    nodes = {node.name: node for node in graph.node}
    variables = {node.name: node for node in graph.node if node.op in VARIABLES}
    open_ends = frozenset({*variables, node_name(signature.image)})
    part = reach(graph, [signature.scores], open_ends)
    new = need("tensorflow.core.framework.graph_pb2").GraphDef()
    new.versions.CopyFrom(graph.versions)
    for name in (node.name for node in graph.node if node.name in part.nodes):
        kept = new.node.add()
        kept.CopyFrom(nodes[name])
        kept.input[:] = [one for one in kept.input if _is_kept(one, part.nodes)]
    used = {node_name(one) for node in new.node for one in node.input}
    for function in graph.library.function:
        if function.signature.name in part.functions:
            new.library.function.add().CopyFrom(function)
    _check(new)
    _make_own(new)
    return ScoreGraph(new, signature, {n: v for n, v in variables.items() if n in used})


def _is_kept(tensor: str, nodes: frozenset[str]) -> bool:
    """Return whether an input stays; waiting for what is left open is pointless."""
    return not tensor.startswith("^") or node_name(tensor) in nodes


def _check(graph: GraphDef) -> None:
    """Refuse what is not there, and variables that nothing restores."""
    held = {function.signature.name for function in graph.library.function}
    for node in graph.node:
        if node.op == "Placeholder":
            raise ModelError(f"the scores depend on {node.name}, which nothing gives")
    for function in graph.library.function:
        for node in function.node_def:
            if node.op in VARIABLES:
                raise ModelError(
                    f"the variable {node.name} is made in the function "
                    f"{function.signature.name}, where nothing restores it"
                )
    for node in nodes_of(graph):
        for named in (one for value in node.attr.values() for one in called(value)):
            if named.name not in held:
                raise ModelError(
                    f"{node.name} calls the function {named.name}, which is not there"
                )
        if node.op not in NETWORK_OPERATORS | held:
            raise ModelError(f"{node.op} is no operator of a network")


def _make_own(graph: GraphDef) -> None:
    """Name functions as no other graph does, and drop settings of how to run."""
    prefix = f"edgeseg_{next(_COUNT)}_"
    names = {one.signature.name for one in graph.library.function}
    for node in nodes_of(graph):
        node.device = ""
        for key in list(node.attr):
            if key.startswith("_") or key in _SETTINGS:
                del node.attr[key]
        for named in (one for value in node.attr.values() for one in called(value)):
            named.name = prefix + named.name
        if node.op in names:
            node.op = prefix + node.op
    for function in graph.library.function:
        function.signature.name = prefix + function.signature.name
        function.attr.clear()
        function.arg_attr.clear()
        function.resource_arg_unique_id.clear()


def as_function(
    part: ScoreGraph, size: tuple[int, int], weights: Mapping[str, NodeDef]
) -> TfFunction:
    """Return a function from a picture to scores.

    Parameters
    ----------
    part : ScoreGraph
        The network.
    size : (int, int)
        Height and width of the picture.
    weights : mapping of str to tf.Variable
        What the network reads in place of each of its variables.

    Returns
    -------
    tf.ConcreteFunction
        ``(1, H, W, 3)`` float32 in, scores out.
    """
    tf = need("tensorflow")

    def run(image: KerasTensor) -> KerasTensor:
        here = tf.compat.v1.get_default_graph()
        given = {part.signature.image: image}
        for name, weight in weights.items():
            value = weight.read_value()  # so that exports know of the variable
            is_handle = part.variables[name].op == "VarHandleOp"
            given[f"{name}:0"] = here.capture(weight.handle) if is_handle else value
        (scores,) = tf.graph_util.import_graph_def(
            part.graph,
            input_map=given,
            return_elements=[part.signature.scores],
            name="",
        )
        return scores

    # tf.function would not make the graph's own functions known where it is run
    spec = tf.TensorSpec((1, *size, 3), tf.float32)
    return tf.compat.v1.wrap_function(run, signature=[spec])
