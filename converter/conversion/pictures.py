"""The pictures that a conversion looks at: to calibrate, to compare, to score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from edgeseg.converter.calibration.calibrate import calibration_pictures
from edgeseg.converter.quantization.ranges_file import SavedRanges
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.pictures.files import read_picture
from edgeseg.runtime.shipped import photo_folder
from edgeseg.runtime.sources.pan import PanSource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.calibration.calibration_set import CalibrationSet
    from edgeseg.converter.conversion.request import Request
    from edgeseg.runtime.accuracy.dataset import Dataset

_T = TypeVar("_T")
# Pictures that two models are compared on
_COMPARED = 16
_VIEWS = "views of the sample photos"


@dataclass(frozen=True)
class ConversionPictures:
    """The pictures of a conversion, and ranges of an earlier calibration.

    Parameters
    ----------
    calibration : CalibrationSet or None
        Photos to calibrate with; None where ranges were saved or none are needed.
    dataset : Dataset or None
        Pictures with truth.
    saved_ranges : SavedRanges or None
        What an earlier calibration found.
    """

    calibration: CalibrationSet | None
    dataset: Dataset | None
    saved_ranges: SavedRanges | None = None

    @property
    def compared_with(self) -> str:
        """The kind of pictures that `compared` returns, in words."""
        if self.calibration is not None:
            return "calibration photos"
        return "scored pictures" if self.dataset is not None else _VIEWS

    def compared(self) -> list[NDArray[np.uint8]]:
        """Return up to 16 frames ``(H, W, 3)`` to compare two models on.

        Photos of the calibration; without them pictures of the data set; without
        those views of the photos that come with the package.
        """
        if self.calibration is not None:
            return [read_picture(path) for path in spread(self.calibration.paths)]
        if self.dataset is not None:
            names = spread(self.dataset.ids)
            return [self.dataset.picture(name) for name in names]
        return sample_views()


def sample_views() -> list[NDArray[np.uint8]]:
    """Return 16 frames ``(H, W, 3)``: views of the sample photos."""
    source = PanSource(f"{photo_folder()},frames={_COMPARED // 2}")
    return [capture.frame for capture in source.captures()]


def choose_pictures(request: Request) -> ConversionPictures:
    """Choose and check the pictures of a request.

    Raises
    ------
    InputError
        A folder cannot be used, or calibration and scoring share pictures.
    """
    scoring = request.scoring
    dataset = None if scoring is None else open_dataset(scoring.dataset, scoring.split)
    calibration = None
    if request.calibration is not None and request.saved_ranges is None:
        calibration = calibration_pictures(
            request.calibration,
            evaluation_ids=() if dataset is None else dataset.ids,
            evaluation_pictures=_paths(dataset),
        )
    saved = request.saved_ranges
    return ConversionPictures(
        calibration, dataset, None if saved is None else SavedRanges(saved)
    )


def spread(entries: Sequence[_T], count: int = _COMPARED) -> list[_T]:
    """Return up to `count` entries, evenly spread.

    Examples
    --------
    >>> spread(range(10), 3)
    [0, 3, 6]
    """
    count = min(count, len(entries))
    return [entries[i * len(entries) // count] for i in range(count)]


def _paths(dataset: Dataset | None) -> list[Path]:
    if dataset is None:
        return []
    return [dataset.picture_path(name) for name in dataset.ids]
