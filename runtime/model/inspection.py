"""What a model file holds, found without running it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING

from edgeseg.devices import ModelError, TensorSpec
from edgeseg.devices.litert import read_model
from edgeseg.devices.tflite_file.examination import examine
from edgeseg.devices.tflite_file.reading import TensorEntry, read_file, readable
from edgeseg.runtime.model.embedded import ONNX_SUFFIX, sha256, stored_manifest
from edgeseg.runtime.model.graph import OperatorSummary
from edgeseg.runtime.model.head import head_of
from edgeseg.runtime.model.keras_files import keras_info
from edgeseg.runtime.model.manifest import Manifest
from edgeseg.runtime.model.overrides import manifest_for
from edgeseg.runtime.model.tensors import (
    colours_of,
    image_input,
    input_hw_of,
    scores_output,
)
from edgeseg.runtime.shipped import find_model

_TAKEN = {
    1: "a grey picture",
    3: "a picture",
    4: "a picture and the mask of the frame before",
}
_SCORES = ("scores, class 1 where they are high", "scores of each class")

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json


def read_graph(model: Path | bytes) -> OperatorSummary:
    """Return the operators and tensors of a TFLite model without running it.

    Parameters
    ----------
    model : Path or bytes
        A ``.tflite`` file, which is examined, or the content of one made here.

    Raises
    ------
    ModelError
        The file is no TFLite model, or damaged.
    """
    if isinstance(model, bytes):
        file = read_file(model)
    else:
        file = examine(read_model(model), str(model))
    graph = file.subgraphs[0]
    written: dict[str, list[str]] = {}
    for operator in graph.operators:
        for tensor in (graph.tensors[index] for index in operator.outputs):
            written.setdefault(tensor.dtype, []).append(readable(tensor.name))
    return OperatorSummary(
        tuple(_spec(graph.tensors[index]) for index in graph.inputs),
        tuple(_spec(graph.tensors[index]) for index in graph.outputs),
        dict(Counter(operator.kind for operator in graph.operators).most_common()),
        {dtype: tuple(names) for dtype, names in sorted(written.items())},
    )


def _spec(tensor: TensorEntry) -> TensorSpec:
    name, steps = readable(tensor.name), tensor.quantization
    if tensor.dtype.startswith("float") or steps is None or steps.scales.size != 1:
        return TensorSpec(name, tensor.shape, tensor.dtype)
    scale, zero_point = steps.scales.least, int(steps.zero_points.least)
    return TensorSpec(name, tensor.shape, tensor.dtype, scale, zero_point)


def model_info(path: Path | str, output_name: str | None = None) -> Json:
    """Return everything a user may ask of a model file, as JSON values.

    Parameters
    ----------
    path : Path or str
        A ``.tflite`` file, one compiled for an Edge TPU too, or an ``.onnx`` file; the
        name of the model that ships; or a Keras file, see `keras_info`.
    output_name : str or None
        Of a model with several outputs, the one that is read.
    """
    path = find_model(path)
    if (keras := keras_info(path)) is not None:
        return keras
    graph, onnx = _graph_of(path)
    manifest: Manifest | None = None
    reading = None
    try:
        manifest = manifest_for(path, graph.inputs, graph.outputs, output_name)
        reading = _reading(graph, manifest, output_name)
    except ModelError:
        pass  # no segmentation model: the tensors can still be shown
    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": sha256(path),
        **onnx,
        "inputs": [_tensor(spec) for spec in graph.inputs],
        "outputs": [_tensor(spec) for spec in graph.outputs],
        "operators": graph.operators,
        "activations": {dtype: len(n) for dtype, n in graph.activations.items()},
        "reading": reading,
        "manifest": None if manifest is None else manifest.to_dict(),
        "manifest_from": "file" if stored_manifest(path) else "tensors",
    }


def _graph_of(path: Path) -> tuple[OperatorSummary, Json]:
    """Return a file's graph and, of an ``.onnx`` file, what is ONNX' own."""
    if path.suffix != ONNX_SUFFIX:
        return read_graph(path), {}
    from edgeseg.runtime.model.onnx_file import read_onnx  # the rarer format

    file = read_onnx(path)
    own = {"opset": file.opset, "ir_version": file.ir_version}
    return file, {"onnx": {**own, "producer": file.producer}}


def _tensor(spec: TensorSpec) -> Json:
    return {**dataclasses.asdict(spec), "shape": list(spec.shape)}


def _reading(
    graph: OperatorSummary, manifest: Manifest, output_name: str | None
) -> str:
    """Return in words what the input takes and what is read of which output."""
    picture = image_input(graph.inputs)
    hw = input_hw_of(picture)
    labels = len(manifest.labels)
    place, spec = scores_output(graph.outputs, hw, output_name, labels)
    head = head_of(spec, manifest.head, labels)
    height, width = head.grid_hw
    what = "class ids" if head.kind == "labels" else _SCORES[min(head.classes, 2) - 1]
    lines = [f"takes {_TAKEN[colours_of(picture)]}", f"reads {height}x{width} {what}"]
    if len(graph.outputs) > 1:
        lines[-1] += f" from output {place} ({spec.name}); --output-name takes another"
    return "; ".join(lines)
