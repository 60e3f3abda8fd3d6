"""How the operators of a TFLite file must be connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.tflite_file.flatbuffer import DamagedError
from edgeseg.devices.tflite_file.tensor_rules import (
    check_interface,
    elements,
    titled,
)

if TYPE_CHECKING:
    from edgeseg.devices.tflite_file.reading import (
        ModelFile,
        OperatorEntry,
        SubgraphEntry,
    )

# from which input on one may be left out; others have none to leave out
_OPTIONAL_FROM = {
    "CONV_2D": 2,
    "CONV_3D": 2,
    "DEPTHWISE_CONV_2D": 2,
    "FULLY_CONNECTED": 2,
    "TRANSPOSE_CONV": 3,
    "CONV_3D_TRANSPOSE": 3,
    "SVDF": 3,
    "LSTM": 1,
    "RNN": 1,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 1,
    "UNIDIRECTIONAL_SEQUENCE_RNN": 1,
    "BIDIRECTIONAL_SEQUENCE_LSTM": 1,
    "BIDIRECTIONAL_SEQUENCE_RNN": 1,
    "STABLEHLO_RNG_BIT_GENERATOR": 1,
}
# options that name another subgraph
_CALLS = (
    "thenSubgraphIndex",
    "elseSubgraphIndex",
    "condSubgraphIndex",
    "bodySubgraphIndex",
    "initSubgraphIndex",
    "subgraph",
)
# they name memory to work in among their inputs: Arm's compiler for the Ethos-U
_SCRATCH = ("ethos-u",)


def check_connections(file: ModelFile, graph: SubgraphEntry) -> None:
    """Raise `DamagedError` unless each tensor is there when it is read.

    Operators run in the order of the file. What one reads must be a constant, an input
    of the graph, or written before; what one writes must be nothing of these.
    """
    count = len(graph.tensors)
    for side, indices in (("input", graph.inputs), ("output", graph.outputs)):
        for tensor in indices:
            if not 0 <= tensor < count:
                raise DamagedError(
                    f"the model's {side} is tensor {tensor}, it has {count}"
                )
            entry = graph.tensors[tensor]
            try:
                check_interface(entry)
            except DamagedError as error:
                raise DamagedError(f"{titled(tensor, entry)}: {error}") from None
    ready = _ready_at_first(file, graph)
    fixed = set(ready)
    for index, operator in enumerate(graph.operators):
        _check_indices(index, operator, count)
        for tensor in operator.inputs:
            if tensor >= 0 and tensor not in ready and operator.kind not in _SCRATCH:
                raise DamagedError(
                    f"operator {index} {operator.kind} reads "
                    f"{titled(tensor, graph.tensors[tensor])}, which nothing has "
                    "written before"
                )
        for tensor in operator.outputs:
            if tensor in fixed:
                raise DamagedError(
                    f"operator {index} {operator.kind} writes "
                    f"{titled(tensor, graph.tensors[tensor])}, which is a constant, an "
                    "input or another operator's result"
                )
            fixed.add(tensor)
            ready.add(tensor)
    for tensor in graph.outputs:
        if tensor not in ready:
            raise DamagedError(
                f"the model's output {titled(tensor, graph.tensors[tensor])} is "
                "written by no operator"
            )


def _ready_at_first(file: ModelFile, graph: SubgraphEntry) -> set[int]:
    ready = set(graph.inputs)
    for index, tensor in enumerate(graph.tensors):
        stored = file.buffers[tensor.buffer][1] > 0
        if index in graph.inputs and stored:
            raise DamagedError(
                f"the model's input {titled(index, tensor)} has stored values"
            )
        if stored or tensor.is_variable or not elements(tensor.shape):
            ready.add(index)
    return ready


def _check_indices(index: int, operator: OperatorEntry, count: int) -> None:
    optional = _OPTIONAL_FROM.get(operator.kind, len(operator.inputs))
    for place, tensor in enumerate(operator.inputs):
        least = -1 if place >= optional else 0
        if not least <= tensor < count:
            raise DamagedError(
                f"operator {index} {operator.kind}: its input {place} is tensor "
                f"{tensor}, the model has {count}"
            )
    for tensor in (*operator.outputs, *operator.intermediates):
        if not 0 <= tensor < count and tensor not in operator.intermediates:
            raise DamagedError(
                f"operator {index} {operator.kind}: its output is tensor {tensor}, the "
                f"model has {count}"
            )
        if tensor >= count:
            raise DamagedError(
                f"operator {index} {operator.kind}: it keeps values in tensor {tensor},"
                f" the model has {count}"
            )


def check_calls(file: ModelFile) -> None:
    """Raise `DamagedError` where a subgraph is not there, or calls itself."""
    calls: dict[int, set[int]] = {}
    for caller, graph in enumerate(file.subgraphs):
        calls[caller] = set()
        for index, operator in enumerate(graph.operators):
            called = {operator.options[n] for n in _CALLS if n in operator.options}
            calls[caller] |= called
            for subgraph in called:
                if not 0 <= subgraph < len(file.subgraphs):
                    raise DamagedError(
                        f"operator {index} {operator.kind} calls subgraph {subgraph}, "
                        f"the file has {len(file.subgraphs)}"
                    )
    # take away who calls none that is left; in a circle nobody can be taken away
    while leaves := [one for one, called in calls.items() if not called]:
        calls = {one: set(c) - set(leaves) for one, c in calls.items() if c}
    if calls:
        raise DamagedError(f"subgraph {min(calls)} calls itself")
