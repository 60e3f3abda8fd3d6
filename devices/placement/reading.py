"""The operators and tensors of a .tflite file, with the options that each has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.errors import ModelError
from edgeseg.devices.litert import read_model
from edgeseg.devices.placement.graph import ModelGraph, Operator, Tensor
from edgeseg.devices.tflite_file.examination import examine
from edgeseg.devices.tflite_file.reading import readable

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.tflite_file.reading import (
        ModelFile,
        OperatorEntry,
        TensorEntry,
    )

_CONTROL = ("IF", "WHILE", "CALL", "CALL_ONCE", "STABLEHLO_WHILE")


def read_model_graph(path: Path) -> ModelGraph:
    """Return the operators and tensors of a model without running it.

    Parameters
    ----------
    path : Path
        A ``.tflite`` file; one compiled for an Edge TPU will do.

    Raises
    ------
    ModelError
        It is no TFLite model, has several subgraphs, or sizes that are not fixed.
    """
    graph = _graph(examine(read_model(path), str(path)), path)
    _check_sizes(graph, path)
    return graph


def _graph(file: ModelFile, path: Path) -> ModelGraph:
    if len(file.subgraphs) != 1:
        raise ModelError(
            f"{path} has {len(file.subgraphs)} subgraphs (loops or branches): "
            "expected a model of one, as edgeseg convert makes"
        )
    graph = file.subgraphs[0]
    for index, op in enumerate(graph.operators):
        if op.kind in _CONTROL:
            raise ModelError(
                f"{path}: operator {index} is {op.kind}: a model with control flow "
                "cannot be placed operator by operator"
            )
    return ModelGraph(
        tuple(_tensor(tensor, file) for tensor in graph.tensors),
        tuple(_operator(index, op) for index, op in enumerate(graph.operators)),
        graph.inputs,
        graph.outputs,
    )


def _operator(index: int, op: OperatorEntry) -> Operator:
    return Operator(index, op.kind, op.inputs, op.outputs, op.options)


def _tensor(tensor: TensorEntry, file: ModelFile) -> Tensor:
    import numpy as np

    data = file.values(tensor)
    quantization = tensor.quantization
    zeros = None if quantization is None else quantization.zero_points
    zero_points = (int(zeros.least), int(zeros.most)) if zeros and zeros.size else ()
    steps = None if quantization is None else quantization.scales
    scales = (float(steps.least), float(steps.most)) if steps and steps.size else ()
    signature = tensor.signature
    return Tensor(
        name=readable(tensor.name),
        shape=tensor.shape,
        dtype=tensor.dtype,
        fixed=signature is None or all(n >= 0 for n in signature),
        data=np.frombuffer(data, np.uint8) if data else None,
        zero_points=zero_points,
        scales=scales,
        steps=steps.size if steps else 0,
    )


def _check_sizes(graph: ModelGraph, path: Path) -> None:
    """Raise where a picture's size is open; an open batch is taken as one."""
    for tensor in (graph.tensors[t] for t in graph.inputs):
        if not tensor.fixed and min(tensor.shape[1:3], default=0) <= 1:
            raise ModelError(
                f"{path}: input {tensor.name!r} has no fixed size (now "
                f"{'x'.join(map(str, tensor.shape))}): convert the model again with "
                "--size"
            )
