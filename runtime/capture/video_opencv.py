"""A video file's frames through OpenCV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.base import Closing
from edgeseg.runtime.capture.upright import displayed, rotated, take_over_rotation

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

# a frame that cannot be decoded looks like the end: as many more are tried as the
# container announces, within these
_FEWEST_TRIES, _MOST_TRIES = 5, 2000
_AV1 = "av01"


class OpencvDecoder(Closing):
    """Frames upright and in display aspect.

    Colours are converted by the matrix that the file names, and by BT.601 where it
    names none.

    Parameters
    ----------
    path : Path
        The file; whether it has a frame says `grab`.
    """

    def __init__(self, path: Path) -> None:
        from edgeseg.runtime.capture.opencv import opencv_name, quiet_opencv

        cv2 = quiet_opencv()
        with opencv_name(path) as name:
            self._video = cv2.VideoCapture(name)
            self.count = int(self._video.get(cv2.CAP_PROP_FRAME_COUNT))
            self.rate = float(self._video.get(cv2.CAP_PROP_FPS))
            self._turn = take_over_rotation(self._video)
            self._sar = _ratio(
                self._video.get(cv2.CAP_PROP_SAR_NUM),
                self._video.get(cv2.CAP_PROP_SAR_DEN),
            )
            width = int(self._video.get(cv2.CAP_PROP_FRAME_WIDTH))
            self.size_wh = width, int(self._video.get(cv2.CAP_PROP_FRAME_HEIGHT))
            self.lost = 0
            self._grabbed = 0

    def grab(self) -> bool:
        """Go on to the next frame that can be decoded; return whether there is one."""
        if not self._video.isOpened():
            return False
        left = self.count - self._grabbed - self.lost
        for failed in range(min(max(left, _FEWEST_TRIES), _MOST_TRIES)):
            if self._video.grab():
                self.lost += failed
                self._grabbed += 1
                return True
        return False

    @property
    def position_s(self) -> float:
        """Time stamp of the frame that was grabbed, in seconds."""
        import cv2

        return float(self._video.get(cv2.CAP_PROP_POS_MSEC)) / 1000

    def retrieve(self) -> NDArray[np.uint8] | None:
        """Return the frame that was grabbed, None if it cannot be decoded after all.

        Returns
        -------
        ndarray or None
            ``(H, W, 3)`` uint8 RGB.
        """
        import cv2
        import numpy as np

        decoded, bgr = self._video.retrieve()
        if not decoded:
            self.lost += 1
            self._grabbed -= 1
            return None
        frame = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
        return rotated(displayed(frame, self._sar), self._turn)

    @property
    def hindrance(self) -> str:
        """Why the file gives no frame, as far as OpenCV knows."""
        import cv2

        code = (
            int(self._video.get(cv2.CAP_PROP_FOURCC)) if self._video.isOpened() else 0
        )
        name = code.to_bytes(4, "little", signed=True)
        if name == b"AV01" or name == _AV1.encode():
            return (
                "its video is AV1, which OpenCV does not decode here: pip install "
                "'edgeseg[video]', or ffmpeg -i FILE -c:v libx264 NEW.mp4"
            )
        if name.isalnum():
            return (
                f"its video, {name.decode()}, is damaged or none that OpenCV decodes "
                "here; another coding is made by: ffmpeg -i FILE -c:v libx264 NEW.mp4"
            )
        return "neither a picture nor a video that OpenCV decodes"

    def close(self) -> None:
        """Close the file."""
        self._video.release()


def _ratio(width: float, height: float) -> float:
    return width / height if width > 0 and height > 0 else 1.0
