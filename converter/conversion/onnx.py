"""The export to ONNX, in the process that runs TensorFlow.

It goes through the float TFLite model, which was held against Keras already, and which
the heads and the rewrites of `edgeseg.converter.quantization` work on.
"""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.conversion.float_model import FloatModel, open_float_model
from edgeseg.converter.conversion.hailo_files import (
    channels_first_ends,
    check_layouts,
    write_hailo_files,
)
from edgeseg.converter.conversion.packaging import Packaging
from edgeseg.converter.conversion.parity import check_parity, compare
from edgeseg.converter.conversion.pictures import choose_pictures
from edgeseg.converter.conversion.request import RESULTS, Request
from edgeseg.converter.conversion.result import accuracy_record, figures
from edgeseg.converter.frameworks import need_onnx, third_party
from edgeseg.converter.isolation.folder import temporary_folder
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.devices import ConversionError
from edgeseg.devices.plain_text import one_line
from edgeseg.runtime import Segmenter
from edgeseg.runtime.accuracy.evaluation import evaluate_pair
from edgeseg.runtime.model.embedded import onnx_with_manifest
from edgeseg.runtime.model.onnx_file import read_onnx

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.converter.conversion.parity import Parity
    from edgeseg.converter.conversion.pictures import ConversionPictures
    from edgeseg.converter.frameworks import OnnxMessage
    from edgeseg.devices.types import Json
    from edgeseg.runtime import Manifest
    from edgeseg.runtime.accuracy.paired import PairedEvaluation


_PACKAGES = ("tf2onnx", "onnx", "onnxruntime")
_DEVICE = "desktop:onnx"  # what the export is verified on
# The newest set of operators that TensorRT takes on every JetPack: up to 13 with 8.2
# to 8.4 (JetPack 4.6, 5.0), up to 17 with 8.5 and 8.6 (JetPack 5.1, 6.0), from 9 on
# with 10 (onnx-tensorrt, docs/operators.md of those releases). Nothing here needs more.
OPSET = 13
_TOLERANCE = 1e-3  # of a size in cells: a scale was divided and stored in float32


def run_onnx_job(job: Json, progress: Callable[[str], None]) -> Json:
    """Export a model and leave the result in a folder.

    Parameters
    ----------
    job : dict
        ``request`` (see `Request`) and ``folder``, where ``result.onnx`` is left.
    progress : callable
        Called with a line for each step.

    Returns
    -------
    dict
        Figures of the result, as of `run_job` where they have the same meaning;
        ``onnx_parity`` says how it answers ``against`` what.

    Raises
    ------
    EdgesegError
        The result is not to be used.
    """
    request, folder = Request.from_dict(job["request"]), Path(job["folder"])
    pictures = choose_pictures(request)
    with open_float_model(request, pictures, progress) as (model, keras):
        packaging = Packaging(model.manifest, request.head == "labels")
        path = folder / RESULTS["onnx"]
        progress(f"exporting to ONNX, opset {OPSET}")
        exported = to_onnx(packaging.wrapped(model.content).content)
        path.write_bytes(onnx_with_manifest(exported, _manifest(model)))
        with ExitStack() as stack:
            result = stack.enter_context(Segmenter.open(path, device=_DEVICE))
            tflite = stack.enter_context(packaging.open_float(model.content))
            # other heads have no scores of Keras' own shape to be held against
            against = "Keras" if model.head == "logits" else "float TFLite"
            reference = keras if against == "Keras" else tflite
            parity = _parity(reference, result, pictures, against, progress)
            paired = _score(request, tflite, result, pictures, progress)
            if request.runtime == "hailo" and pictures.calibration is not None:
                progress("writing what Hailo's compiler takes")
                photos = pictures.calibration.paths
                write_hailo_files(tflite, photos, folder)
                swapped = folder / "channels_first.onnx"
                exported = to_onnx(model.content, channels_first=True)
                swapped.write_bytes(onnx_with_manifest(exported, _manifest(model)))
                check_layouts(path, swapped, tflite, photos[0])
                swapped.replace(path)
    return _record(request, model, pictures, path) | {
        "onnx_parity": {**dataclasses.asdict(parity), "against": against},
        "accuracy": None
        if paired is None or request.scoring is None
        else accuracy_record(request.scoring, paired),
    }


def _manifest(model: FloatModel) -> Manifest:
    own = model.manifest.provenance
    versions = {**own["versions"], **{name: version(name) for name in _PACKAGES}}
    provenance = {**own, "format": "onnx", "opset": OPSET, "versions": versions}
    return dataclasses.replace(model.manifest, provenance=provenance)


def _parity(
    reference: Segmenter,
    result: Segmenter,
    pictures: ConversionPictures,
    against: str,
    progress: Callable[[str], None],
) -> Parity:
    """Compare, and raise unless the export answers alike."""
    frames = pictures.compared()
    progress(f"comparing with {against} on {len(frames)} {pictures.compared_with}")
    parity = compare(reference, result, frames)
    are_scores = result.head.kind != "labels"
    check_parity(parity, f"the ONNX model does not answer like {against}", are_scores)
    return parity


def _score(
    request: Request,
    reference: Segmenter,
    result: Segmenter,
    pictures: ConversionPictures,
    progress: Callable[[str], None],
) -> PairedEvaluation | None:
    """Score float TFLite and the export, and hold the drop against the budget."""
    scoring, dataset = request.scoring, pictures.dataset
    if scoring is None or dataset is None:
        return None
    progress(f"scoring float TFLite and ONNX on {len(dataset.ids)} pictures")
    paired = evaluate_pair(reference, result, dataset, matching=scoring.matching)
    drop = 100 * paired.drop.difference
    if scoring.max_drop is not None and drop > scoring.max_drop:
        raise ConversionError(
            f"mIoU falls by {drop:.2f} points, over the budget of "
            f"{scoring.max_drop:g}: an export has nothing to keep in float"
        )
    return paired


def _record(
    request: Request, model: FloatModel, pictures: ConversionPictures, path: Path
) -> Json:
    record = figures(request, pictures, model, path.read_bytes(), read_onnx(path))
    versions = dict(_manifest(model).provenance["versions"])
    return {**record, "versions": versions, "calibration": {}, "budget": None}


def to_onnx(content: bytes, *, channels_first: bool = False) -> bytes:
    """Return a float TFLite model as an ONNX model of the same tensors.

    Parameters
    ----------
    content : bytes
        Float TFLite model of fixed shapes; its ends, NHWC, stay as they are.
    channels_first : bool
        Make its ends NCHW.

    Raises
    ------
    ConversionError
        It has an operator that ONNX has not.
    MissingDriverError
        The extra ``onnx`` is not installed.
    """
    onnx = need_onnx("onnx")
    model = _exported(content, channels_first)
    _name_sizes(model)
    _settle_names(model)
    try:
        onnx.checker.check_model(model)
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ConversionError(
            f"the model cannot be said in ONNX, opset {OPSET}: {one_line(error)}"
        ) from error
    _check_output(model, content, channels_first)
    exported: bytes = model.SerializeToString(deterministic=True)
    return exported


def _exported(content: bytes, channels_first: bool) -> OnnxMessage:
    """Return what tf2onnx makes of a model, without versions that nothing uses."""
    with temporary_folder() as folder:
        path = folder / "float.tflite"
        path.write_bytes(content)
        tf2onnx = need_onnx("tf2onnx")
        ends = channels_first_ends(content) if channels_first else {}
        try:
            with third_party():
                model, _ = tf2onnx.convert.from_tflite(str(path), opset=OPSET, **ends)
        except (ValueError, RuntimeError, TypeError, KeyError, AttributeError) as error:
            raise ConversionError(
                f"tf2onnx cannot export the model: {one_line(error, 300)}"
            ) from error
    foreign = sorted({node.op_type for node in model.graph.node if node.domain})
    if foreign:
        raise ConversionError(f"ONNX has no operators for {', '.join(foreign)}")
    kept = [entry for entry in model.opset_import if not entry.domain]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    model.producer_version = version("tf2onnx")
    return model


def _name_sizes(model: OnnxMessage) -> None:
    """Give every Resize the size of its result in place of a scale.

    tf2onnx writes scales. ONNX takes the result's size as their product with the
    input's, rounded down: of 49 * (385 / 49) in float32 only 384 cells may be left.
    """
    onnx = need_onnx("onnx")
    while True:
        resize = next((n for n in model.graph.node if _has_scales(n)), None)
        if resize is None:
            break
        inferred = onnx.shape_inference.infer_shapes(model).graph
        shape = _shape(inferred, resize.input[0])
        sizes = _sizes(shape, _constant(model, resize.input[2]))
        name = f"{resize.name}__sizes"
        model.graph.initializer.append(
            onnx.helper.make_tensor(name, onnx.TensorProto.INT64, [len(sizes)], sizes)
        )
        resize.input[:] = [resize.input[0], "", "", name]


def _settle_names(model: OnnxMessage) -> None:
    """Name and order constants by their first use, and leave out the others.

    tf2onnx numbers them as sets of Python come: another way each time. The ends get
    names that say what they are.
    """
    graph = model.graph
    constants = {weight.name: weight for weight in graph.initializer}
    used = dict.fromkeys(name for node in graph.node for name in node.input)
    kept = [name for name in used if name in constants]
    names = {name: f"constant_{index}" for index, name in enumerate(kept)}
    names |= {graph.input[0].name: "image", graph.output[0].name: "scores"}
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for tensor in (*constants.values(), graph.input[0], graph.output[0]):
        tensor.name = names.get(tensor.name, tensor.name)
    ordered = [constants[name] for name in kept]
    del graph.initializer[:]
    graph.initializer.extend(ordered)


def _has_scales(node: OnnxMessage) -> bool:
    return bool(node.op_type == "Resize" and len(node.input) == 3)


def _sizes(shape: list[int], scales: list[float]) -> list[int]:
    exact = [length * scale for length, scale in zip(shape, scales, strict=True)]
    sizes = [round(size) for size in exact]
    if any(abs(s - e) > _TOLERANCE for s, e in zip(sizes, exact, strict=True)):
        raise ConversionError(f"a resize of {shape} by {scales} gives no whole cells")
    return sizes


def _constant(model: OnnxMessage, name: str) -> list[float]:
    onnx = need_onnx("onnx")
    for weight in model.graph.initializer:
        if weight.name == name:
            return [float(value) for value in onnx.numpy_helper.to_array(weight)]
    raise ConversionError(f"the scales {name} of a resize are no constant")


def _shape(graph: OnnxMessage, name: str) -> list[int]:
    """Return a tensor's inferred shape."""
    for tensor in (*graph.value_info, *graph.input, *graph.output):
        if tensor.name == name:
            return [dim.dim_value for dim in tensor.type.tensor_type.shape.dim]
    raise ConversionError(f"the shape of {name} cannot be inferred")


def _check_output(model: OnnxMessage, content: bytes, channels_first: bool) -> None:
    flat = FlatModel(content)
    expected = [int(n) for n in flat.shape(int(flat.graph.outputs[0]))]
    if channels_first:
        expected = [expected[0], expected[3], *expected[1:3]]
    got = _shape(model.graph, model.graph.output[0].name)
    if got != expected:
        raise ConversionError(f"the ONNX model gives {got}, float TFLite {expected}")
