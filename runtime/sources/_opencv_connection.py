"""OpenCV's `VideoCapture` as a connection; BGR ends here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeseg.devices import InputError
from edgeseg.devices._wording import encodable
from edgeseg.runtime.credentials import hide_credentials
from edgeseg.runtime.sources._connection import Connection
from edgeseg.runtime.sources._rotation import rotated, take_over_rotation

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

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
        self._video: Any = None
        self._turn = 0
        self._told: dict[str, Any] = {"through": f"OpenCV {backend}"}

    def open(self) -> None:
        """Open it and ask for the properties."""
        from edgeseg.runtime.opencv import quiet_opencv

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
        self._told |= _given(self._video, self._turn)

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
    def told(self) -> dict[str, Any]:
        """``through``, and what was given: ``given_wh``, ``fps`` and ``fourcc``."""
        return dict(self._told)


def _given(video: Any, turn: int) -> dict[str, Any]:
    """Return what a camera agreed to, which need not be what it was asked for."""
    import cv2

    fps = float(video.get(cv2.CAP_PROP_FPS))
    size = [
        int(video.get(cv2.CAP_PROP_FRAME_WIDTH)),
        int(video.get(cv2.CAP_PROP_FRAME_HEIGHT)),
    ]
    code = int(video.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True)
    told: dict[str, Any] = {"given_wh": size[::-1] if turn in (90, 270) else size}
    if 0 < fps < 1000:  # streams without a rate tell 0 or 90000
        told["fps"] = fps
    if code.isalnum():
        told["fourcc"] = code.decode("ascii")
    return told
