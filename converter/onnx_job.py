"""An export to ONNX, step by step, in the process that runs TensorFlow."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.converter.finish import Finish
from edgeseg.converter.float_model import FloatModel, open_float_model
from edgeseg.converter.onnx_export import OPSET, to_onnx
from edgeseg.converter.outcome import accuracy_told, figures
from edgeseg.converter.request import RESULTS, Request
from edgeseg.converter.subjects import choose_subjects
from edgeseg.converter.verify import check_parity, compare
from edgeseg.devices import ConversionError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.accuracy.evaluation import evaluate_pair
from edgeseg.runtime.modelfile import onnx_with_manifest
from edgeseg.runtime.onnx_file import read_onnx

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.converter.subjects import Subjects
    from edgeseg.converter.verify import Parity
    from edgeseg.runtime import Manifest
    from edgeseg.runtime.accuracy.paired import PairedEvaluation

_PACKAGES = ("tf2onnx", "onnx", "onnxruntime")
_DEVICE = "desktop:onnx"  # what the export is verified on


def run_onnx_job(job: dict[str, Any], tell: Callable[[str], None]) -> dict[str, Any]:
    """Export a model and leave the result in a folder.

    Parameters
    ----------
    job : dict
        ``request`` (see `Request`) and ``folder``, where ``result.onnx`` is left.
    tell : callable
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
    subjects = choose_subjects(request)
    with open_float_model(request, subjects, tell) as (model, keras):
        finish = Finish(model.manifest, request.head == "labels")
        path = folder / RESULTS["onnx"]
        tell(f"exporting to ONNX, opset {OPSET}")
        exported = to_onnx(finish.wrapped(model.content))
        path.write_bytes(onnx_with_manifest(exported, _manifest(model)))
        with ExitStack() as stack:
            result = stack.enter_context(Segmenter.open(path, device=_DEVICE))
            tflite = stack.enter_context(finish.open_float(model.content))
            # other heads have no scores of Keras' own shape to be held against
            against = "Keras" if request.head == "logits" else "float TFLite"
            reference = keras if against == "Keras" else tflite
            parity = _parity(reference, result, subjects, against, tell)
            paired = _score(request, tflite, result, subjects, tell)
    return _told(request, model, subjects, path) | {
        "onnx_parity": {**dataclasses.asdict(parity), "against": against},
        "accuracy": None
        if paired is None or request.scoring is None
        else accuracy_told(request.scoring, paired),
    }


def _manifest(model: FloatModel) -> Manifest:
    own = model.manifest.provenance
    versions = {**own["versions"], **{name: version(name) for name in _PACKAGES}}
    provenance = {**own, "format": "onnx", "opset": OPSET, "versions": versions}
    return dataclasses.replace(model.manifest, provenance=provenance)


def _parity(
    reference: Segmenter,
    result: Segmenter,
    subjects: Subjects,
    against: str,
    tell: Callable[[str], None],
) -> Parity:
    """Compare, and raise unless the export answers alike."""
    frames = subjects.compared()
    tell(f"comparing with {against} on {len(frames)} {subjects.compared_with}")
    parity = compare(reference, result, frames)
    are_scores = result.head.kind != "labels"
    check_parity(parity, f"the ONNX model does not answer like {against}", are_scores)
    return parity


def _score(
    request: Request,
    reference: Segmenter,
    result: Segmenter,
    subjects: Subjects,
    tell: Callable[[str], None],
) -> PairedEvaluation | None:
    """Score float TFLite and the export, and hold the drop against the budget."""
    scoring, dataset = request.scoring, subjects.dataset
    if scoring is None or dataset is None:
        return None
    tell(f"scoring float TFLite and ONNX on {len(dataset.ids)} pictures")
    paired = evaluate_pair(
        reference,
        result,
        dataset,
        classes=scoring.classes,
        merge_others=scoring.merge_others,
    )
    drop = 100 * paired.drop.difference
    if scoring.max_drop is not None and drop > scoring.max_drop:
        raise ConversionError(
            f"mIoU falls by {drop:.2f} points, over the budget of "
            f"{scoring.max_drop:g}: an export has nothing to keep in float"
        )
    return paired


def _told(
    request: Request, model: FloatModel, subjects: Subjects, path: Path
) -> dict[str, Any]:
    told = figures(request, subjects, model, path.read_bytes(), read_onnx(path))
    versions = dict(_manifest(model).provenance["versions"])
    return {**told, "versions": versions, "calibration": {}, "budget": None}
