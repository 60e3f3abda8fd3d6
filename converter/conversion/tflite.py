"""A conversion, step by step, in the process that runs TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.calibration.calibrate import CalibrationTensors
from edgeseg.converter.conversion.accuracy import judge
from edgeseg.converter.conversion.float_model import FloatModel, make_float_model
from edgeseg.converter.conversion.packaging import Finish
from edgeseg.converter.conversion.pictures import Subjects, choose_subjects
from edgeseg.converter.conversion.request import RANGES, RESULTS, Request
from edgeseg.converter.conversion.result import Outcome
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.quantize import Quantization, check_dtypes
from edgeseg.converter.quantization.ranges import Ranges, measure
from edgeseg.converter.quantization.ranges_file import load_ranges, save_ranges
from edgeseg.converter.recipes import load_recipe
from edgeseg.devices import ConversionError, InputError
from edgeseg.runtime.model.inspection import read_graph

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.converter.conversion.accuracy import AccuracyVerdict
    from edgeseg.converter.recipes import Recipe
    from edgeseg.devices.types import Json
    from edgeseg.runtime import Segmenter

_EVERY = 10  # pictures between two lines of progress


def run_job(job: Json, tell: Callable[[str], None]) -> Json:
    """Convert a model and leave the result in a folder.

    Parameters
    ----------
    job : dict
        ``request`` (see `Request`) and ``folder``, where ``result.tflite`` and
        ``ranges.json`` are left.
    tell : callable
        Called with a line for each step.

    Returns
    -------
    dict
        Figures of the result; see `Outcome`.

    Raises
    ------
    EdgesegError
        Nothing is left in the folder.
    """
    request, folder = Request.from_dict(job["request"]), Path(job["folder"])
    recipe = load_recipe(request.recipe)
    subjects = choose_subjects(request)
    model = make_float_model(request, subjects, tell)
    finish = Finish(model.manifest, request.head == "labels", request.io)
    with finish.open_float(model.content) as reference:
        ranges = None
        if recipe.needs_calibration:
            ranges = _ranges(request, model, subjects, reference, tell)
        quantization = Quantization(model.content, recipe, ranges)
        verdict = judge(
            quantization, reference, finish, subjects, request.scoring, tell
        )
        outcome = Outcome(request, model, subjects, ranges, verdict, finish)
        with finish.open_quantized(verdict.content) as result:
            told = outcome.told(reference, result, tell)
            if request.report is not None:
                outcome.write_report(request.report, told, reference, result, tell)
    _check(verdict, recipe)
    (folder / RESULTS["tflite"]).write_bytes(outcome.file)
    if ranges is not None:
        (folder / RANGES).write_bytes(save_ranges(ranges, quantization.flat))
    return told


def _ranges(
    request: Request,
    model: FloatModel,
    subjects: Subjects,
    reference: Segmenter,
    tell: Callable[[str], None],
) -> Ranges:
    """Return saved ranges, or measured ones."""
    if request.saved_ranges is not None:
        tell(f"taking the ranges in {request.saved_ranges.name}")
        flat = FlatModel(model.content)
        return load_ranges(request.saved_ranges, flat, model.origin)
    calibration = subjects.calibration
    if calibration is None:
        raise InputError("no photos to calibrate with: give --calibration a folder")
    tell(f"calibrating on {len(calibration)} photos")

    def progress(done: int) -> None:
        if done % _EVERY == 0:
            tell(f"calibrated on {done} of {len(calibration)}")

    return measure(
        model.content,
        CalibrationTensors(reference, calibration.paths),
        origin=model.origin,
        calibration=calibration.manifest(),
        progress=progress,
    )


def _check(verdict: AccuracyVerdict, recipe: Recipe) -> None:
    """Raise unless the result is what was promised."""
    budget = verdict.budget
    if budget is not None and not budget.met:
        raise ConversionError(budget.reason)
    chosen = None if budget is None else budget.chosen
    kept = ("float32",) if chosen is not None and chosen.operators else ()
    activations = read_graph(verdict.content).activations
    check_dtypes(activations, (*recipe.activations, *kept))
