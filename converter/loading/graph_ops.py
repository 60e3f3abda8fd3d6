"""Operators of a TensorFlow graph that reach outside it: files, Python, network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from edgeseg.converter._frameworks import need
from edgeseg.devices import ModelError
from edgeseg.devices._litert import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# Every graph that was saved holds these in the functions that save and restore it
_SAVING = "Save|SaveV2|SaveSlices|Restore|RestoreV2|RestoreSlice|MergeV2Checkpoints"
_REACHING = (
    ".*PyFunc.*|.*Reader.*|.*Dataset.*|.*Iterator.*|.*Summary.*|.*Rpc.*|Debug.*|"
    "Collective.*|Print|PrintV2|ReadFile|WriteFile|MatchingFiles|Load.*|Lookup.*Import|"
    "InitializeTableFromTextFile.*|XlaCustomCall.*|.*HostCompute|_?(Host)?(Send|Recv)|"
    "Copy(Host)?|Assert.*File.*|Delete.*File.*|.*Generator.*Dataset"
)


def reaching_operators(path: Path) -> list[str]:
    """Return the operators of a SavedModel that reach outside, sorted.

    Parameters
    ----------
    path : Path
        Its folder; the graph is read, not loaded.

    Raises
    ------
    ModelError
        ``saved_model.pb`` is no SavedModel.
    """
    protos = need("tensorflow.core.protobuf.saved_model_pb2")
    message = protos.SavedModel()
    file = path / "saved_model.pb"
    try:
        message.ParseFromString(file.read_bytes())
    except (OSError, need("google.protobuf.message").DecodeError) as error:
        raise ModelError(f"{file} is damaged: {one_line(error)}") from error
    if not message.meta_graphs:
        raise ModelError(f"{file} holds no graph: damaged, or no SavedModel?")
    graphs = [graph.graph_def for graph in message.meta_graphs]
    return _matching(_names(graphs), _REACHING)


def outward_operators(function: Any) -> list[str]:
    """Return the operators that reach outside in what a signature runs.

    Parameters
    ----------
    function : tf.ConcreteFunction
        Loaded, not run. Saving and restoring have no place in it.
    """
    names = _names([function.graph.as_graph_def()])
    return _matching(names, f"{_REACHING}|{_SAVING}")


def _matching(names: Iterable[str], pattern: str) -> list[str]:
    return sorted({name for name in names if re.fullmatch(pattern, name)})


def _names(graphs: Iterable[Any]) -> Iterator[str]:
    for graph in graphs:
        yield from (node.op for node in graph.node)
        for function in graph.library.function:
            yield from (node.op for node in function.node_def)
