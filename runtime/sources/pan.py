"""A moving camera over photos: ``pan:photos/`` or ``pan:photo.jpg,frames=90``.

A window glides over each picture and closes in on it, so that stills give a clip with
motion: to try a set-up, a video output or a rate without a camera.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.address import ALL_PICTURES, AddressKind, Rest
from edgeseg.runtime.capture.source import AS_IT_COMES, Capture, CaptureOptions, Source
from edgeseg.runtime.capture.upright import rotated
from edgeseg.runtime.pictures.files import read_picture, readable_suffixes
from edgeseg.runtime.pictures.formats import advice_for, left_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

_log = logging.getLogger(__name__)
_SIZE_WH = (640, 480)
_FPS = 25.0
_FRAMES = 75  # a picture
# The window's side at the start and at the end, as a share of the largest that fits
_FAR, _NEAR = 1.0, 0.72


class PanSource(Source):
    """Frames of a window that glides over pictures, one picture after the other.

    Parameters
    ----------
    text : str
        A picture or a folder of pictures, then optionally ``,frames=N`` (75 a
        picture).
    options : CaptureOptions
        Size (640x480) and rate (25) of the clip, and the rotation.

    Raises
    ------
    InputError
        There is no such picture, or an option is not one of these.
    """

    def __init__(self, text: str, options: CaptureOptions = AS_IT_COMES) -> None:
        place, settings = ADDRESS.split(text)
        self._frames = _frames_of(settings)
        self._paths = _pictures(Path(place))
        self._size_wh = options.size_wh or _SIZE_WH
        self._fps, self._rotate = options.fps or _FPS, options.rotate

    @property
    def count(self) -> int:
        """Frames of all pictures."""
        return self._frames * len(self._paths)

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self._fps

    def names(self) -> tuple[str, ...]:
        """Return ``cat_000000`` and so on, after the picture's name."""
        stems = [path.stem for path in self._paths]
        prefixes = [
            path.stem if stems.count(path.stem) == 1 else path.name.replace(".", "_")
            for path in self._paths
        ]
        return tuple(
            f"{prefix}_{index:06d}"
            for prefix in prefixes
            for index in range(self._frames)
        )

    @property
    def files(self) -> tuple[Path, ...]:
        """The pictures."""
        return tuple(self._paths)

    def captures(self, skip: frozenset[str] = frozenset()) -> Iterator[Capture]:
        """Give the frames."""
        names = iter(self.names())
        number = 0
        for path in self._paths:
            picture = read_picture(path)
            for index in range(self._frames):
                name = next(names)
                if name not in skip:
                    share = index / max(1, self._frames - 1)
                    frame = rotated(self._window(picture, share), self._rotate)
                    yield Capture(frame, name, number / self._fps)
                number += 1

    def _window(self, picture: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
        """Return what the window shows, 0 at the beginning and 1 at the end."""
        import cv2
        import numpy as np

        width, height = self._size_wh
        eased = share * share * (3 - 2 * share)  # starts and stops softly
        fits = min(picture.shape[1] / width, picture.shape[0] / height)
        scale = fits * (_FAR + (_NEAR - _FAR) * eased)
        room_x = picture.shape[1] - scale * width
        room_y = picture.shape[0] - scale * height
        # from one side to the other where there is room, else about the middle
        left, top = room_x * (0.15 + 0.5 * eased), room_y * (0.2 + 0.2 * eased)
        x, y = left + 0.5 * scale - 0.5, top + 0.5 * scale - 0.5
        matrix = np.array([[scale, 0.0, x], [0.0, scale, y]])
        shown = cv2.warpAffine(
            picture,
            matrix,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(shown, np.uint8)


def _frames_of(settings: list[str]) -> int:
    frames = _FRAMES
    for setting in settings:
        value = re.fullmatch(r"frames=(\d{1,7})", setting)
        if value is None or int(value[1]) < 1:
            raise InputError(f"pan: expected frames=N after the path, got {setting!r}")
        frames = int(value[1])
    return frames


def _pictures(place: Path) -> list[Path]:
    if place.is_dir():
        suffixes = readable_suffixes()
        if others := left_out(place.iterdir()):
            _log.warning("%s: left out are %s: %s", place, others, advice_for(others))
        found = sorted(
            path
            for path in place.iterdir()
            if path.suffix.lower() in suffixes and not path.name.startswith(".")
        )
        if not found:
            raise InputError(f"pan: no pictures in {place}")
        return found
    if not place.is_file():
        hint = " (an option after the path is frames=N)" if "," in str(place) else ""
        raise InputError(f"pan: no such picture or folder: {place}{hint}")
    return [place]


ADDRESS = AddressKind(Rest.FILE_OR_FOLDER, inside=ALL_PICTURES, options=",")
PLUGIN = PanSource
