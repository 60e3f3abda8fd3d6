"""OpenCV's `VideoCapture` as a connection; BGR ends here.

OpenCV is kept from writing to standard error: what fails is an exception. FFmpeg inside
it writes lines of its own, from its own threads; how many, an environment variable
decides when the process first opens a video.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import encodable, hide_credentials, reason_of, utf8_name
from edgeseg.runtime.capture.feed import Connection
from edgeseg.runtime.capture.upright import rotated, take_over_rotation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json, Module


_SILENCE_MS = 10_000  # milliseconds for opening, and without a frame
_IN_A_ROW = 5  # frames that may fail: a damaged one is no lost camera


class OpencvConnection(Connection):
    """Frames of what OpenCV opens.

    A call into OpenCV cannot be cut short: it ends with a frame or after ten seconds.

    Parameters
    ----------
    target : str
        Path or address.
    backend : str
        ``V4L2`` or ``FFMPEG``: OpenCV's name of it.
    wanted : mapping
        Properties to ask for, by OpenCV's names, such as ``FRAME_WIDTH``.
    advice : str
        What to do where it cannot be opened.
    """

    def __init__(
        self,
        target: str,
        backend: str,
        *,
        wanted: Mapping[str, float] | None = None,
        advice: str = "",
    ) -> None:
        self._target, self._backend = target, backend
        self._wanted, self._advice = dict(wanted or {}), advice
        self._name = hide_credentials(target)
        self._video: Module = None
        self._turn = 0
        self._details: Json = {"through": f"OpenCV {backend}"}

    def open(self) -> None:
        """Open it and ask for the properties."""
        cv2 = quiet_opencv()
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _SILENCE_MS]
        limits += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, _SILENCE_MS]
        api = getattr(cv2, f"CAP_{self._backend}")
        params = limits if self._backend == "FFMPEG" else []
        try:
            self._video = cv2.VideoCapture(encodable(self._target), api, params)
        except cv2.error as error:
            raise InputError(f"cannot open {self._name}: {error.err}") from error
        if not self._video.isOpened():
            raise InputError(f"cannot open {self._name}{self._advice}")
        for name, value in self._wanted.items():
            self._video.set(getattr(cv2, f"CAP_PROP_{name}"), value)
        self._turn = take_over_rotation(self._video)
        self._details |= _given(self._video, self._turn)

    def read(self) -> NDArray[np.uint8]:
        """Wait for a frame."""
        import cv2

        for _ in range(_IN_A_ROW):
            decoded, bgr = self._video.read()
            if decoded:
                frame: NDArray[np.uint8] = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
                return rotated(frame, self._turn)
        raise InputError(f"{self._name} gives no more frames")

    def close(self) -> None:
        """Release it."""
        if self._video is not None:
            self._video.release()

    @property
    def details(self) -> Json:
        """``through``, and what was given: ``given_wh``, ``fps`` and ``fourcc``."""
        return dict(self._details)


def _given(video: Module, turn: int) -> Json:
    """Return what a camera agreed to, which need not be what it was asked for."""
    import cv2

    fps = float(video.get(cv2.CAP_PROP_FPS))
    size = [
        int(video.get(cv2.CAP_PROP_FRAME_WIDTH)),
        int(video.get(cv2.CAP_PROP_FRAME_HEIGHT)),
    ]
    code = int(video.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True)
    details: Json = {"given_wh": size[::-1] if turn in (90, 270) else size}
    if 0 < fps < 1000:  # streams without a rate say 0 or 90000
        details["fps"] = fps
    if code.isalnum():
        details["fourcc"] = code.decode("ascii")
    return details


_ERRORS = 2  # LOG_LEVEL_ERROR of opencv2/core/utils/logger.defines.h


def quiet_opencv() -> Module:
    """Import OpenCV for video and return its module."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
    import cv2

    # OpenCV 5 has moved it
    where = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging
    where.setLogLevel(_ERRORS)
    return cv2


@contextmanager
def opencv_name(path: Path) -> Iterator[str]:
    """Yield a name by which OpenCV's video reader or writer opens a file.

    It takes names in UTF-8 whatever the locale is, and ends the process where one is
    none: such a file is opened through a link of another name.

    Parameters
    ----------
    path : Path
        A file that is there, or will be.

    Raises
    ------
    InputError
        No link can be made.
    """
    name = utf8_name(path)
    if name is not None:
        yield name
        return
    try:
        folder = tempfile.TemporaryDirectory(prefix="edgeseg-")
        link = Path(folder.name, "video").with_suffix(path.suffix)
        link.symlink_to(path.absolute())
    except OSError as error:
        raise InputError(
            f"cannot open {path}: its name is no UTF-8, and no link to it can be made "
            f"in a temporary folder: {reason_of(error)}"
        ) from error
    with folder:
        yield str(link)
