"""The variables of a SavedModel, read from its checkpoint without running its graph.

A saved graph holds a part that restores its variables: ``RestoreV2`` reads tensors by
name, and each is assigned to a variable. That part is read here as a table, variable to
name, and the tensors are read by TensorFlow's checkpoint reader. Nothing of it is run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.converter.loading.savedmodel.reach import node_name, reach
from edgeseg.devices import ModelError
from edgeseg.devices.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from edgeseg.converter.frameworks import CheckpointReader, GraphDef, NodeDef
    from edgeseg.devices.types import Array

VARIABLES = ("VarHandleOp", "VariableV2", "Variable")
_ASSIGNMENTS = ("AssignVariableOp", "Assign")
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_DEEPEST = 2  # calls within calls; TensorFlow writes one


@dataclass(frozen=True)
class _VariableScope:
    """Nodes of a graph or of one function, and what its arguments stand for."""

    nodes: Mapping[str, NodeDef]
    arguments: Mapping[str, str] | None = None  # None is the graph, not a function


def stored_names(graph: GraphDef) -> dict[str, str]:
    """Return which tensor of the checkpoint each variable holds.

    Parameters
    ----------
    graph : MetaGraphDef
        Of a SavedModel.

    Returns
    -------
    dict of str to str
        Name of the variable's node to name of the tensor.
    """
    part = reach(graph.graph_def, [graph.saver_def.restore_op_name])
    nodes = {node.name: node for node in graph.graph_def.node}
    whole = _VariableScope(nodes)
    functions = {one.signature.name: one for one in graph.graph_def.library.function}
    inside = [nodes[name] for name in sorted(part.nodes)]
    stored = dict(_assignments(inside, whole, functions, _DEEPEST))
    return {**_copies(whole, stored), **stored}


def _copies(whole: _VariableScope, stored: Mapping[str, str]) -> dict[str, str]:
    """Return the same of variables that restored ones start as a copy of.

    ``tf.saved_model.save`` writes each variable of a Keras 3 model twice: one is
    restored, the other, which the first takes its initial value from, is computed with.
    """
    found: dict[str, str] = {}
    for node in whole.nodes.values():
        if node.op not in _ASSIGNMENTS or len(node.input) < 2:
            continue
        copy = _variable(node.input[0], whole)
        read, _ = _source(node.input[1], whole)
        if copy in stored and read is not None and read.op == "ReadVariableOp":
            first = _variable(read.input[0], whole) if read.input else None
            if copy is not None and first is not None:
                found[first] = stored[copy]
    return found


def _assignments(
    nodes: Iterable[NodeDef],
    scope: _VariableScope,
    functions: Mapping[str, NodeDef],
    depth: int,
) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if node.op in _ASSIGNMENTS and len(node.input) >= 2:
            variable = _variable(node.input[0], scope)
            stored = _stored(node.input[1], scope)
            if variable is not None and stored is not None:
                yield variable, stored
        body = functions.get(node.attr["f"].func.name) if node.op in _CALLS else None
        if body is not None and depth > 0:
            names = [argument.name for argument in body.signature.input_arg]
            given = [_variable(one, scope) for one in node.input]
            inner = _VariableScope(
                {one.name: one for one in body.node_def},
                {n: g for n, g in zip(names, given, strict=False) if g is not None},
            )
            yield from _assignments(body.node_def, inner, functions, depth - 1)


def _source(tensor: str, scope: _VariableScope) -> tuple[NodeDef, str]:
    """Return the node behind a tensor's identities, or None, and the tensor of it."""
    for _ in range(len(scope.nodes) + 1):
        node = scope.nodes.get(node_name(tensor))
        if node is None or node.op != "Identity" or not node.input:
            return node, tensor
        tensor = node.input[0]
    return None, tensor


def _variable(tensor: str, scope: _VariableScope) -> str | None:
    node, found = _source(tensor, scope)
    if scope.arguments is not None:
        return scope.arguments.get(node_name(found)) if node is None else None
    is_one = node is not None and node.op in VARIABLES
    return str(node.name) if is_one else None


def _stored(tensor: str, scope: _VariableScope) -> str | None:
    """Return the name under which a restored tensor is stored, where it is whole."""
    node, found = _source(tensor, scope)
    if node is None or node.op != "RestoreV2" or len(node.input) < 3:
        return None
    names, parts = (_texts(one, scope) for one in node.input[1:3])
    if not names or any(parts):
        return None
    _, _, index = found.rpartition(":")
    place = int(index) if index.isdigit() else 0
    # a row of texts in a protobuf may end with the first of equal ones
    return names[min(place, len(names) - 1)]


def _texts(tensor: str, scope: _VariableScope) -> list[str]:
    node, _ = _source(tensor, scope)
    if node is None or node.op != "Const":
        return []
    texts = node.attr["value"].tensor.string_val
    return [one.decode(errors="replace") for one in texts]


def read_variables(
    path: Path, stored: Mapping[str, str], wanted: Mapping[str, NodeDef]
) -> dict[str, Array]:
    """Return the values of variables.

    Parameters
    ----------
    path : Path
        Folder of the SavedModel.
    stored : mapping of str to str
        From `stored_names`.
    wanted : mapping of str to NodeDef
        The variables' nodes, by name.

    Raises
    ------
    ModelError
        A variable is not stored, stored as something else, or the checkpoint is
        missing or damaged.
    """
    if not wanted:
        return {}
    lost = sorted(wanted.keys() - stored.keys())
    if lost:
        raise ModelError(f"{path} does not restore the variable {lost[0]}")
    tf = need("tensorflow")
    folder = path / "variables"
    try:
        reader = tf.train.load_checkpoint(str(folder / "variables"))
        _check_size(folder, reader, {stored[name] for name in wanted})
        values = {name: reader.get_tensor(stored[name]) for name in sorted(wanted)}
    except (ValueError, RuntimeError, tf.errors.OpError) as error:
        raise ModelError(
            f"the variables in {folder} are missing or damaged: {one_line(error)}"
        ) from error
    for name, node in wanted.items():
        _check_kind(f"{path}: the variable {name}", node, values[name])
    return values


def _check_size(folder: Path, reader: CheckpointReader, names: set[str]) -> None:
    """Refuse shapes for which the files are too small, before memory is taken."""
    shapes, types = (
        reader.get_variable_to_shape_map(),
        reader.get_variable_to_dtype_map(),
    )
    missing = sorted(names - shapes.keys())
    if missing:
        raise ValueError(f"the checkpoint lacks {missing[0]}")
    needed = sum(math.prod(shapes[name]) * types[name].size for name in names)
    held = sum(file.stat().st_size for file in folder.glob("variables.data-*"))
    if needed > held:
        raise ValueError(f"{needed} bytes of variables in files of {held}")


def _check_kind(where: str, node: NodeDef, value: Array) -> None:
    tf = need("tensorflow")
    shape = tf.TensorShape(node.attr["shape"].shape)
    if not shape.is_compatible_with(value.shape):
        raise ModelError(f"{where} is {shape} in the graph and {value.shape} in files")
    if tf.as_dtype(node.attr["dtype"].type).as_numpy_dtype != value.dtype.type:
        raise ModelError(f"{where} is stored as {value.dtype}, another type than its")
