"""The ranges that a conversion quantizes with: measured on photos, or saved ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.calibration.calibrate import CalibrationTensors
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.ranges import Ranges, measure
from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.converter.conversion.float_model import FloatModel
    from edgeseg.converter.conversion.pictures import ConversionPictures
    from edgeseg.runtime import Segmenter

_EVERY = 10  # pictures between two lines of progress


def calibrated_ranges(
    model: FloatModel,
    pictures: ConversionPictures,
    reference: Segmenter,
    progress: Callable[[str], None],
) -> Ranges:
    """Return saved ranges, or measured ones.

    Parameters
    ----------
    model : FloatModel
        What is to be quantized.
    pictures : ConversionPictures
        With photos to calibrate with, or saved ranges.
    reference : Segmenter
        Open on the float model: it prepares the photos.
    progress : callable
        Called with a line for each step.

    Raises
    ------
    InputError
        There are neither, or the ranges are another model's.
    ConversionError
        The float model gives values that are not finite.
    """
    saved = pictures.saved_ranges
    if saved is not None:
        progress(f"taking the ranges in {saved.path.name}")
        return saved.ranges(FlatModel(model.content), model.origin)
    calibration = pictures.calibration
    if calibration is None:
        raise InputError("no photos to calibrate with: give --calibration a folder")
    progress(f"calibrating on {len(calibration)} photos")

    def show(done: int) -> None:
        if done % _EVERY == 0:
            progress(f"calibrated on {done} of {len(calibration)}")

    return measure(
        model.content,
        CalibrationTensors(reference, calibration.paths),
        origin=model.origin,
        calibration=calibration.manifest(),
        progress=show,
    )
