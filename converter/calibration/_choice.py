"""Take pictures one after the other, each decoded, and keep why others were not."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from edgeseg.converter.calibration.calibration_set import (
    LEAST,
    MOST,
    CalibrationPicture,
)
from edgeseg.converter.calibration.picture_check import measure_texture
from edgeseg.devices import InputError
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.pictures.files import read_picture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_MOST_CONSTANT = 0.1  # of the pictures that were decoded


class PictureChoice:
    """The pictures taken so far, and the reasons against the others."""

    def __init__(self) -> None:
        self.taken: list[CalibrationPicture] = []
        self.duplicates: list[tuple[str, str]] = []
        self.constant: list[str] = []
        self._noise: list[str] = []
        self._names: dict[str, str] = {}  # digest of a file or its pixels: its name

    def take_first_good(self, run: Sequence[Path]) -> None:
        """Take the first usable picture of a run.

        A folder that will be refused anyway is not searched to its end: after noise,
        or very many constant pictures, only the first of a run is looked at.

        Parameters
        ----------
        run : sequence of Path
            Neighbours in the folder.

        Raises
        ------
        InputError
            One of them cannot be decoded.
        """
        for path in run:
            if self._take(path) or self._noise or len(self.constant) > MOST:
                return

    def check(self, folder: Path) -> None:
        """Raise where what was seen is no set to calibrate with.

        Parameters
        ----------
        folder : Path
            For the message.

        Raises
        ------
        InputError
            Noise, too many constant pictures, or too few that are left.
        """
        seen = len(self.taken) + len(self.constant) + len(self._noise)
        self._refuse(self._noise, "noise, no photos", folder, seen)
        if len(self.constant) > _MOST_CONSTANT * seen:
            self._refuse(self.constant, "of one colour", folder, seen)
        if len(self.taken) < LEAST:
            raise InputError(too_few(folder, len(self.taken), self))

    def _refuse(self, names: list[str], what: str, folder: Path, seen: int) -> None:
        if names:
            raise InputError(
                f"{len(names)} of {seen} different pictures looked at in {folder} are "
                f"{what} ({some(names)}): calibrate with photos like those the camera "
                "will give"
            )

    def _take(self, path: Path) -> bool:
        digest = _file_digest(path)
        if self._is_known(path.name, digest):
            return False
        frame = read_picture(path)
        if self._is_known(path.name, _pixel_digest(frame)):
            return False
        fault = measure_texture(frame).fault
        if fault is None:
            height, width = frame.shape[:2]
            self.taken.append(CalibrationPicture(path, digest, width, height))
        else:
            (self._noise if fault == "noise" else self.constant).append(path.name)
        return fault is None

    def _is_known(self, name: str, digest: str) -> bool:
        same = self._names.setdefault(digest, name)
        if same != name:
            self.duplicates.append((name, same))
        return same != name


def too_few(folder: Path, got: int, choice: PictureChoice | None = None) -> str:
    """Return the message for a folder with fewer than 32 usable pictures."""
    left = []
    if choice is not None:
        counts = (len(choice.duplicates), "copies"), (len(choice.constant), "constant")
        left = [f"{count} {what}" for count, what in counts if count]
    note = f" (left out: {', '.join(left)})" if left else ""
    return (
        f"calibration needs at least {LEAST} pictures like those the camera will "
        f"give, got {got} in {folder}{note}"
    )


def some(names: Sequence[str]) -> str:
    """Return the first three names as text."""
    first = ", ".join(names[:3])
    return first if len(names) <= 3 else f"{first}, ..."


def _file_digest(path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        raise InputError(f"cannot read picture {path}: {reason_of(error)}") from error


def _pixel_digest(frame: NDArray[np.uint8]) -> str:
    digest = hashlib.sha256(repr(frame.shape).encode())
    digest.update(frame.data)
    return digest.hexdigest()
