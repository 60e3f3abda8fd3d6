"""Pictures to calibration tensors, through the runtime's own preprocessing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeseg.devices import InputError
from edgeseg.runtime.pictures import SUFFIXES, read_picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeseg.runtime import Segmenter

# Fewer pictures leave ranges to chance; more than MOST no longer move them
LEAST, MOST = 32, 100


def calibration_pictures(folder: Path) -> tuple[Path, ...]:
    """Return the pictures to calibrate with: all of a folder, or 100 spread over it.

    Parameters
    ----------
    folder : Path
        Holds at least 32 pictures.

    Raises
    ------
    InputError
        There is no such folder, or it holds too few pictures.
    """
    if not folder.is_dir():
        raise InputError(f"no calibration folder {folder}: expected a folder of photos")
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    if len(found) < LEAST:
        raise InputError(
            f"calibration needs at least {LEAST} pictures like those the camera will "
            f"give, got {len(found)} in {folder}"
        )
    if len(found) <= MOST:
        return tuple(found)
    return tuple(found[index * len(found) // MOST] for index in range(MOST))


class CalibrationTensors:
    """The input tensors of calibration pictures, made anew at each iteration.

    Parameters
    ----------
    segmenter : Segmenter
        Opened on the float model: its preprocessing is the board's.
    pictures : sequence of Path
        From `calibration_pictures`.
    """

    def __init__(self, segmenter: Segmenter, pictures: Sequence[Path]) -> None:
        self._segmenter = segmenter
        self._pictures = tuple(pictures)

    def __len__(self) -> int:
        return len(self._pictures)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        for path in self._pictures:
            yield self._segmenter.tensor(read_picture(path))
