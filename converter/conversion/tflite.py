"""The conversion to TFLite, in the process that runs TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.conversion.accuracy import quantize_and_score
from edgeseg.converter.conversion.agreement import examine_agreement
from edgeseg.converter.conversion.calibrated import calibrated_ranges
from edgeseg.converter.conversion.float_model import make_float_model
from edgeseg.converter.conversion.packaging import Packaging
from edgeseg.converter.conversion.pictures import choose_pictures
from edgeseg.converter.conversion.request import RANGES, RESULTS, Request
from edgeseg.converter.conversion.result import FinishedConversion
from edgeseg.converter.quantization.quantize import Quantization, check_dtypes
from edgeseg.converter.quantization.ranges_file import save_ranges
from edgeseg.converter.recipes import load_recipe
from edgeseg.devices import ConversionError
from edgeseg.runtime.model.inspection import read_graph

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.converter.conversion.accuracy import AccuracyVerdict
    from edgeseg.converter.recipes import Recipe
    from edgeseg.devices.types import Json


def run_job(job: Json, progress: Callable[[str], None]) -> Json:
    """Convert a model and leave the result in a folder.

    Parameters
    ----------
    job : dict
        ``request`` (see `Request`) and ``folder``, where ``result.tflite`` and
        ``ranges.json`` are left.
    progress : callable
        Called with a line for each step.

    Returns
    -------
    dict
        Figures of the result; see `FinishedConversion`.

    Raises
    ------
    EdgesegError
        Nothing is left in the folder.
    """
    request, folder = Request.from_dict(job["request"]), Path(job["folder"])
    recipe = load_recipe(request.recipe)
    pictures = choose_pictures(request)
    model = make_float_model(request, pictures, progress)
    packaging = Packaging(model.manifest, request.head == "labels", request.io)
    with packaging.open_float(model.content) as reference:
        ranges = None
        if recipe.needs_calibration:
            ranges = calibrated_ranges(model, pictures, reference, progress)
        quantization = Quantization(model.content, recipe, ranges)
        verdict = quantize_and_score(
            quantization, reference, packaging, pictures, request.scoring, progress
        )
        finished = FinishedConversion(
            request, model, pictures, ranges, verdict, packaging
        )
        with packaging.open_quantized(verdict.content) as result:
            record = finished.to_dict(reference, result, progress)
            low = examine_agreement(
                record["int8_parity"]["agreement"],
                quantization,
                ranges,
                reference,
                packaging,
                pictures.compared(),
                progress,
            )
            record["low_agreement"] = None if low is None else low.to_dict()
            if request.report is not None:
                finished.write_report(
                    request.report, record, reference, result, progress
                )
    _check(verdict, recipe)
    (folder / RESULTS["tflite"]).write_bytes(finished.file)
    if ranges is not None:
        (folder / RANGES).write_bytes(save_ranges(ranges, quantization.flat))
    return record


def _check(verdict: AccuracyVerdict, recipe: Recipe) -> None:
    """Raise unless the result is what was promised."""
    budget = verdict.budget
    if budget is not None and not budget.met:
        raise ConversionError(budget.reason)
    chosen = None if budget is None else budget.chosen
    kept = ("float32",) if chosen is not None and chosen.operators else ()
    activations = read_graph(verdict.content).activations
    check_dtypes(activations, (*recipe.activations, *kept))
