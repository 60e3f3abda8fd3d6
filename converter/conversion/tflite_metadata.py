"""TFLite Metadata: what a model's tensors mean, for MediaPipe and Android's libraries.

It is a flatbuffer of its own schema in a buffer of the model, under the name
``TFLITE_METADATA``. Files that it names, such as the list of labels, are in the ZIP
archive behind the model, where the manifest is too.

The numbers of the fields below are those of the schema, version 1.5.0, and of the
schema of MediaPipe's options of an image segmenter.

References
----------
TFLite Metadata and MediaPipe's image segmenter, ``mediapipe/tasks/metadata``:
``metadata_schema.fbs`` and ``image_segmenter_metadata_schema.fbs``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.conversion.mediapipe import mediapipe_obstacle
from edgeseg.converter.quantization.flat_tables import Byte, UInt, flatbuffer
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.runtime.model.embedded import (
    LABEL_FILE,
    append_manifest,
    label_lines,
    without_manifest,
)
from edgeseg.runtime.model.head import head_of
from edgeseg.runtime.model.inspection import read_graph
from edgeseg.runtime.model.tensors import colours_of, input_hw_of

if TYPE_CHECKING:
    from edgeseg.converter.quantization.flat_tables import Table
    from edgeseg.devices import TensorSpec
    from edgeseg.runtime import Manifest
    from edgeseg.runtime.model.graph import OperatorSummary

_ENTRY = "TFLITE_METADATA"
_IDENTIFIER, _VERSION = b"M001", "1.5.0"  # the first with metadata of a task
_OPTIONS, _OPTIONS_IDENTIFIER = "SEGMENTER_METADATA", b"V001"
_OPTIONS_VERSION = "1.0.0"
_UNKNOWN, _RGB, _GREY = 0, 1, 2  # ColorSpaceType
_IMAGE = 2  # ContentProperties: ImageProperties
_NORMALIZATION = 1  # ProcessUnitOptions: NormalizationOptions
_AXIS_LABELS, _VALUE_LABELS = 2, 3  # AssociatedFileType
_NONE, _SIGMOID, _SOFTMAX = 0, 1, 2  # Activation
# The label of a single channel, which is that of class 1
_CHANNEL_FILE = "channel_labels.txt"
# They move scores, and change none, or not which of them is a probability
_MOVES = {
    "QUANTIZE",
    "DEQUANTIZE",
    "RESHAPE",
    "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR",
    "TRANSPOSE",
}
_PROBABILITIES = {"SOFTMAX", "LOGISTIC"}


def with_metadata(content: bytes, manifest: Manifest) -> bytes:
    """Return a model file with TFLite Metadata, labels and manifest.

    Parameters
    ----------
    content : bytes
        A TFLite model; metadata that it has, and an archive behind it, are replaced.
    manifest : Manifest
        What is known of it.
    """
    graph = read_graph(without_manifest(content))
    flat = FlatModel(content)
    others = _label_files(graph.outputs[0], manifest)
    files = [*([LABEL_FILE] if manifest.labels else []), *others]
    described: Table = {
        2: [_input(graph, manifest)],
        3: [_output(graph.outputs[0], files[-1] if files else None)],
        9: [_segmenter_options(flat, manifest)],
    }
    model: Table = {0: "edgeseg", 3: [described], 7: _VERSION}
    flat.set_metadata(_ENTRY, flatbuffer(model, _IDENTIFIER))
    return append_manifest(flat.to_bytes(), manifest, others)


def _label_files(output: TensorSpec, manifest: Manifest) -> dict[str, str]:
    """Return the list of labels of a single channel, which is class 1 alone."""
    if _is_ids(output) or output.shape[-1] > 1 or len(manifest.labels) < 2:
        return {}
    return {_CHANNEL_FILE: label_lines(manifest.labels[1:2])}


def _input(graph: OperatorSummary, manifest: Manifest) -> Table:
    source = graph.inputs[0]
    height, width = input_hw_of(source)
    size: Table = {0: UInt(width), 1: UInt(height)}
    count = 1 if colours_of(source) == 1 else 3
    normalization: Table = {0: manifest.mean[:count], 1: manifest.std[:count]}
    units: list[Table] = [{0: Byte(_NORMALIZATION), 1: normalization}]
    return {
        0: "image",
        3: {0: Byte(_IMAGE), 1: {0: Byte(_colour_space(graph, manifest)), 1: size}},
        4: units,
    }


def _colour_space(graph: OperatorSummary, manifest: Manifest) -> int:
    """Return what a reader may take the input for.

    Where MediaPipe would give wrong masks without a word, the colour space is left
    open, and it refuses the file.
    """
    if colours_of(graph.inputs[0]) == 1:
        return _GREY
    obstacle = mediapipe_obstacle(graph, manifest)
    return _UNKNOWN if obstacle is not None and obstacle.is_silent else _RGB


def _output(output: TensorSpec, label_file: str | None) -> Table:
    image: Table = {0: Byte(_UNKNOWN)}
    described: Table = {0: "segmentation", 3: {0: Byte(_IMAGE), 1: image}}
    if label_file is not None:
        kind = _VALUE_LABELS if _is_ids(output) else _AXIS_LABELS
        files: list[Table] = [{0: label_file, 2: Byte(kind)}]
        described[6] = files
    return described


def _is_ids(output: TensorSpec) -> bool:
    return head_of(output).kind == "labels"


def _segmenter_options(flat: FlatModel, manifest: Manifest) -> Table:
    options: Table = {0: Byte(_activation(flat, manifest)), 1: _OPTIONS_VERSION}
    return {0: _OPTIONS, 1: flatbuffer(options, _OPTIONS_IDENTIFIER)}


def _activation(flat: FlatModel, manifest: Manifest) -> int:
    """Return what makes probabilities of the output."""
    producers, tensor = flat.producers(), int(flat.graph.outputs[0])
    is_single = flat.shape(tensor)[-1] == 1
    while (last := producers.get(tensor)) is not None and flat.kind(last) in _MOVES:
        tensor = int(last.inputs[0])
    kind = "" if last is None else flat.kind(last)
    if kind in (*_PROBABILITIES, "ARG_MAX") or manifest.head == "probability":
        return _NONE
    return _SIGMOID if is_single else _SOFTMAX
