"""A training whose network computes as int8 will, so that its weights suit it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from edgeseg.converter.calibration.calibrate import (
    CalibrationTensors,
    calibration_pictures,
)
from edgeseg.converter.keras_device import segmenter_of
from edgeseg.converter.loading.load import Loaded
from edgeseg.converter.training.quantization_aware import (
    measure_ranges,
    prepare,
    restore,
)
from edgeseg.converter.training.quantization_aware_start import settle

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edgeseg.converter.training.start import Start


def through_int8(start: Start, photos: Path, judged: Iterable[str] = ()) -> Start:
    """Return a start that rounds as the converter's recipe ``int8`` does.

    Its weights begin as the converter would ship them, its ranges stay as the photos
    gave them.

    Parameters
    ----------
    start : Start
        Trained already, its norms folded. Keras must run on TensorFlow.
    photos : Path
        Folder to calibrate with.
    judged : iterable of str
        Names of the pictures that the training is judged by: they are left out where
        they are among the photos.

    Raises
    ------
    InputError
        The photos cannot be calibrated with.
    ConversionError
        TensorFlow Lite cannot express the network.
    """
    chosen = calibration_pictures(photos, leave_out=judged)
    segmenter = segmenter_of(Loaded(start.model, start.resize))
    tensors = CalibrationTensors(segmenter, chosen.paths)
    ranges = measure_ranges(start.model, tensors)
    prepared = prepare(settle(start.model, tensors), ranges)
    note = f"rounding as int8 does, calibrated on {len(chosen)} photos"
    return dataclasses.replace(
        start, model=prepared, rounded=True, notes=(*start.notes, note)
    )


def plain(start: Start) -> Any:
    """Return a start's network of stock layers, with the weights it has by now."""
    return restore(start.model) if start.rounded else start.model
