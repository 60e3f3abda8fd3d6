"""Overlay video: ``overlay.mp4`` or ``video:FILE``, through OpenCV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.devices import InputError, OutputError
from edgeseg.runtime.atomic import check_writable
from edgeseg.runtime.sinks._base import Sink

if TYPE_CHECKING:
    from edgeseg.runtime.segmenter import Segmentation
    from edgeseg.runtime.sinks._base import Style
    from edgeseg.runtime.sources import Capture

SUFFIXES = {".mp4": "mp4v", ".mkv": "mp4v", ".avi": "MJPG", ".mov": "mp4v"}
_STILLS_FPS = 2.0  # pictures that have no common time: half a second each


class VideoSink(Sink):
    """Writes overlays as a video at the source's frame rate.

    The file grows under a temporary name and takes its own at the end, also when the
    run ends early: what was recorded plays.

    Parameters
    ----------
    text : str
        File name that ends in .mp4, .mkv, .mov or .avi.
    style : Style
        How to draw, and the frame rate.
    """

    def __init__(self, text: str, style: Style) -> None:
        self._path = Path(text)
        if self._path.suffix.lower() not in SUFFIXES:
            raise InputError(
                f"expected a video name that ends in {', '.join(SUFFIXES)}, got {text}"
            )
        check_writable(self._path)
        self._part = self._path.with_name(f".{self._path.stem}.part{self._path.suffix}")
        self._style = style
        self._writer: Any = None
        self._hw: tuple[int, int] = (0, 0)
        self._frames = 0

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Append one frame, letterboxed to the first one's size where it differs."""
        import cv2

        drawn = self._style.draw(capture, segmentation)
        if self._writer is None:
            # the codecs want even sides
            self._hw = (drawn.shape[0] + 1) // 2 * 2, (drawn.shape[1] + 1) // 2 * 2
            self._writer = self._open_writer()
        if drawn.shape[:2] != self._hw:
            from edgeseg.runtime.preprocess import draw_canvas, place

            size = (drawn.shape[0], drawn.shape[1])
            drawn = draw_canvas(drawn, place(size, self._hw, "letterbox"), 0)
        self._writer.write(cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
        self._frames += 1

    def _open_writer(self) -> Any:
        import cv2

        from edgeseg.devices._quiet import quiet

        try:
            self._part.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error.strerror}") from error
        code = cv2.VideoWriter.fourcc(*SUFFIXES[self._path.suffix.lower()])
        rate = self._style.fps or _STILLS_FPS
        with quiet():
            writer = cv2.VideoWriter(str(self._part), code, rate, self._hw[::-1])
        if not writer.isOpened():
            raise OutputError(
                f"cannot write {self._path}: OpenCV has no encoder for "
                f"{self._hw[1]}x{self._hw[0]} at {rate:g} frames a second"
            )
        return writer

    def close(self) -> None:
        """Finish the file and give it its name."""
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        playable = _frames_in(self._part)
        try:
            if playable:
                self._part.replace(self._path)
            else:
                self._part.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error.strerror}") from error
        if playable < self._frames:  # OpenCV's writer drops frames without a word
            raise OutputError(
                f"only {playable} of {self._frames} frames could be written to "
                f"{self._path}: is the disk full?"
            )


def _frames_in(path: Path) -> int:
    """Return how many frames of a video OpenCV finds, 0 if it does not play."""
    import cv2

    from edgeseg.devices._quiet import quiet

    with quiet():
        video = cv2.VideoCapture(str(path))
        count = int(video.get(cv2.CAP_PROP_FRAME_COUNT)) if video.isOpened() else 0
        video.release()
    return max(count, 0)


PLUGIN = VideoSink
