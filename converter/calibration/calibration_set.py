"""The pictures of a calibration, and the manifest that lets anyone repeat it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json

# Fewer pictures leave ranges to chance; more than MOST no longer move them
LEAST, MOST = 32, 64
_RULE = (
    f"pictures of the folder by file name; all, or one from each of {MOST} equal runs, "
    "its first that is neither constant nor a copy of one already taken"
)


@dataclass(frozen=True)
class CalibrationPicture:
    """One picture that is calibrated with.

    Parameters
    ----------
    path : Path
        Where it is.
    sha256 : str
        Of the file.
    width, height : int
        In pixels, upright.
    """

    path: Path
    sha256: str
    width: int
    height: int


@dataclass(frozen=True)
class CalibrationSet:
    """The pictures to calibrate with, and what was left out.

    Parameters
    ----------
    pictures : tuple of CalibrationPicture
        In the order of their file names.
    found : int
        Picture files in the folder.
    duplicates : tuple of (str, str)
        Names of copies that were left out, each with the picture it equals.
    constant : tuple of str
        Names of pictures of one colour that were left out.
    evaluation_ids : int
        Ids that no picture may have.
    """

    pictures: tuple[CalibrationPicture, ...]
    found: int
    duplicates: tuple[tuple[str, str], ...] = ()
    constant: tuple[str, ...] = ()
    evaluation_ids: int = 0

    @property
    def paths(self) -> tuple[Path, ...]:
        """The pictures' files."""
        return tuple(picture.path for picture in self.pictures)

    def __len__(self) -> int:
        return len(self.pictures)

    def manifest(self) -> Json:
        """Return JSON values that let anyone repeat the calibration."""
        return {
            "selection": _RULE,
            "order": "file name",
            "seed": None,  # nothing is left to chance
            "found": self.found,
            "used": len(self.pictures),
            "evaluation_ids_excluded": self.evaluation_ids,
            "duplicates": [
                {"name": name, "same_as": other} for name, other in self.duplicates
            ],
            "constant": list(self.constant),
            "pictures": [
                {
                    "name": picture.path.name,
                    "sha256": picture.sha256,
                    "size": [picture.width, picture.height],
                }
                for picture in self.pictures
            ],
        }
