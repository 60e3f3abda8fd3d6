"""The export to ONNX, in the process that runs TensorFlow.

It goes through the float TFLite model, which was held against Keras already, and which
the heads and the rewrites of `edgeseg.converter.quantization` work on. With a recipe of
integers that model is marked with int8 steps before: see
`edgeseg.converter.quantization.qdq`.
"""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.conversion.agreement import LEAST_AGREEMENT
from edgeseg.converter.conversion.calibrated import calibrated_ranges
from edgeseg.converter.conversion.float_model import FloatModel, open_float_model
from edgeseg.converter.conversion.hailo_files import (
    channels_first_ends,
    check_layouts,
    write_hailo_files,
)
from edgeseg.converter.conversion.onnx_export import OPSET, to_onnx
from edgeseg.converter.conversion.packaging import Packaging
from edgeseg.converter.conversion.parity import check_parity, compare
from edgeseg.converter.conversion.pictures import choose_pictures
from edgeseg.converter.conversion.request import RANGES, RESULTS, Request
from edgeseg.converter.conversion.result import accuracy_record, figures
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.qdq import mark_steps
from edgeseg.converter.quantization.ranges_file import save_ranges
from edgeseg.converter.recipes import load_recipe
from edgeseg.devices import ConversionError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.accuracy.evaluation import evaluate_pair
from edgeseg.runtime.model.embedded import onnx_with_manifest
from edgeseg.runtime.model.onnx_file import read_onnx

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.converter.conversion.pictures import ConversionPictures
    from edgeseg.converter.quantization.qdq import MarkedModel
    from edgeseg.converter.quantization.ranges import Ranges
    from edgeseg.devices.types import Json
    from edgeseg.runtime import Manifest
    from edgeseg.runtime.accuracy.paired import PairedEvaluation


_PACKAGES = ("tf2onnx", "onnx", "onnxruntime")
_DEVICE = "desktop:onnx"  # what the export is verified on


def run_onnx_job(job: Json, progress: Callable[[str], None]) -> Json:
    """Export a model and leave the result in a folder.

    Parameters
    ----------
    job : dict
        ``request`` (see `Request`) and ``folder``, where ``result.onnx`` is left, and
        ``ranges.json`` where it was calibrated.
    progress : callable
        Called with a line for each step.

    Returns
    -------
    dict
        Figures of the result, as of `run_job` where they have the same meaning. Of a
        float network ``onnx_parity`` says how it answers ``against`` what; of a
        quantized one ``int8_parity`` how it answers against float TFLite.

    Raises
    ------
    EdgesegError
        The result is not to be used.
    """
    request, folder = Request.from_dict(job["request"]), Path(job["folder"])
    pictures = choose_pictures(request)
    with ExitStack() as stack:
        model, keras = stack.enter_context(
            open_float_model(request, pictures, progress)
        )
        packaging = Packaging(model.manifest, request.head == "labels")
        tflite = stack.enter_context(packaging.open_float(model.content))
        exported = _export(request, model, packaging, pictures, tflite, progress)
        path = folder / RESULTS["onnx"]
        path.write_bytes(onnx_with_manifest(exported.content, exported.manifest))
        if exported.ranges is not None:
            saved = save_ranges(exported.ranges, FlatModel(model.content))
            (folder / RANGES).write_bytes(saved)
        result = stack.enter_context(Segmenter.open(path, device=_DEVICE))
        if exported.marked is not None:
            parity = _int8_parity(tflite, result, pictures, progress)
        else:
            # other heads have no scores of Keras' own shape to be held against
            against = "Keras" if model.head == "logits" else "float TFLite"
            reference = keras if against == "Keras" else tflite
            parity = _float_parity(reference, result, pictures, against, progress)
        paired = _score(request, tflite, result, pictures, progress)
        if request.runtime == "hailo" and pictures.calibration is not None:
            progress("writing what Hailo's compiler takes")
            photos = pictures.calibration.paths
            write_hailo_files(tflite, photos, folder)
            swapped = folder / "channels_first.onnx"
            content = to_onnx(model.content, ends=channels_first_ends(model.content))
            swapped.write_bytes(onnx_with_manifest(content, exported.manifest))
            check_layouts(path, swapped, tflite, photos[0])
            swapped.replace(path)
    return {
        **figures(request, pictures, model, path.read_bytes(), read_onnx(path)),
        **exported.to_dict(),
        **parity,
        "budget": None,
        "accuracy": None
        if paired is None or request.scoring is None
        else accuracy_record(request.scoring, paired),
    }


@dataclass(frozen=True)
class _Export:
    """An exported network.

    Parameters
    ----------
    content : bytes
        ONNX without manifest.
    manifest : Manifest
        What goes into the file.
    marked : MarkedModel or None
        Where its values become int8; None of a float network.
    ranges : Ranges or None
        Of its calibration.
    """

    content: bytes
    manifest: Manifest
    marked: MarkedModel | None = None
    ranges: Ranges | None = None

    def to_dict(self) -> Json:
        """Return its part of the figures as JSON values."""
        marked, ranges = self.marked, self.ranges
        return {
            "versions": dict(self.manifest.provenance["versions"]),
            "calibration": {} if ranges is None else dict(ranges.calibration),
            "int8_layers": None
            if marked is None
            else {"int8": dict(marked.integer), "float": dict(marked.in_float)},
        }


def _export(
    request: Request,
    model: FloatModel,
    packaging: Packaging,
    pictures: ConversionPictures,
    reference: Segmenter,
    progress: Callable[[str], None],
) -> _Export:
    """Return the network in ONNX, with int8 steps where the recipe says so."""
    manifest = _manifest(model)
    if not load_recipe(request.recipe).needs_calibration:
        progress(f"exporting to ONNX, opset {OPSET}")
        content = to_onnx(packaging.wrapped(model.content).content)
        return _Export(content, manifest)
    ranges = calibrated_ranges(model, pictures, reference, progress)
    symmetric = request.runtime != "onnxruntime"
    marked = mark_steps(model.content, ranges, symmetric=symmetric)
    progress(f"exporting to ONNX, opset {OPSET}, with int8 steps")
    content = to_onnx(
        packaging.wrapped(marked.content).content,
        marked.weights,
        is_shared=not symmetric,
    )
    provenance = {
        **manifest.provenance,
        "calibration_images": ranges.calibration.get("used"),
        "steps": "symmetric int8" if symmetric else "uint8 with zero points",
    }
    manifest = dataclasses.replace(manifest, provenance=provenance)
    return _Export(content, manifest, marked, ranges)


def _manifest(model: FloatModel) -> Manifest:
    own = model.manifest.provenance
    versions = {**own["versions"], **{name: version(name) for name in _PACKAGES}}
    provenance = {**own, "format": "onnx", "opset": OPSET, "versions": versions}
    return dataclasses.replace(model.manifest, provenance=provenance)


def _float_parity(
    reference: Segmenter,
    result: Segmenter,
    pictures: ConversionPictures,
    against: str,
    progress: Callable[[str], None],
) -> Json:
    """Compare, and raise unless the export answers alike."""
    frames = pictures.compared()
    progress(f"comparing with {against} on {len(frames)} {pictures.compared_with}")
    parity = compare(reference, result, frames)
    are_scores = result.head.kind != "labels"
    check_parity(parity, f"the ONNX model does not answer like {against}", are_scores)
    return {"onnx_parity": {**dataclasses.asdict(parity), "against": against}}


def _int8_parity(
    reference: Segmenter,
    result: Segmenter,
    pictures: ConversionPictures,
    progress: Callable[[str], None],
) -> Json:
    """Compare a quantized export with float TFLite; doubt it where labels differ."""
    frames = pictures.compared()
    progress(f"comparing with float on {len(frames)} {pictures.compared_with}")
    parity = compare(reference, result, frames)
    low = None
    if parity.agreement < LEAST_AGREEMENT:
        text = (
            f"only {parity.agreement:.2%} of the float model's labels are kept: an "
            "int8 .onnx file keeps no operator in float; --recipe float32, which "
            "TensorRT computes in half precision, keeps more"
        )
        low = {"agreement": parity.agreement, "text": text}
    return {"int8_parity": dataclasses.asdict(parity), "low_agreement": low}


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
            f"{scoring.max_drop:g}: an export keeps nothing in float; allow more with "
            "--max-drop, or leave --recipe out"
        )
    return paired
