"""Pictures, videos and cameras of programs that were written for PixelLib."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.capture.source import Capture, Source
from edgeseg.runtime.output.open import open_sink
from edgeseg.runtime.output.sink import Sink, Style
from edgeseg.runtime.pictures.files import read_picture, write_picture
from edgeseg.runtime.pictures.originals import check_apart
from edgeseg.runtime.pipeline.run import PipelineOptions, run_pipeline
from edgeseg.runtime.pipeline.stopping import stopping_on_signals

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array, Untyped
    from edgeseg.runtime.drawing.look import Look
    from edgeseg.runtime.pixellib.model import Model
    from edgeseg.runtime.segmentation.segmenter import Segmentation

_FPS, _COUNT = 5, 7  # cv2.CAP_PROP_FPS and CAP_PROP_FRAME_COUNT
_FAILURES = 30  # reads in a row that give nothing, and the camera has ended


def picture_of(image: Path | str | Array, *, is_frame: bool) -> NDArray[np.uint8]:
    """Return a picture ``(H, W, 3)`` uint8 RGB from a file, or from OpenCV's array.

    Raises
    ------
    InputError
        It is no picture.
    """
    import numpy as np

    if not is_frame and isinstance(image, str | Path):
        return read_picture(Path(image))
    shape: tuple[int, ...] = getattr(image, "shape", ())
    if isinstance(image, str | Path) or len(shape) != 3 or shape[2] not in (3, 4):
        raise InputError(
            "expected a frame (H, W, 3) uint8 as cv2 gives it, got "
            f"{shape or type(image).__name__}"
        )
    return np.ascontiguousarray(image[..., 2::-1], np.uint8)


def draw(
    model: Model,
    frame: NDArray[np.uint8],
    look: Look,
    output: Path | str | None,
    read: Path | str | Array | None = None,
) -> tuple[Segmentation, NDArray[np.uint8]]:
    """Segment and draw one picture.

    Parameters
    ----------
    model : Model
        What segments.
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB.
    look : Look
        What is drawn.
    output : Path, str or None
        A file for the drawing.
    read : Path, str, ndarray or None
        Where the picture comes from: a file there is not written over.

    Returns
    -------
    Segmentation, ndarray
        The classes, and the drawing ``(H, W, 3)`` uint8 BGR.
    """
    result = model.segmenter.segment(frame)
    drawn = model.painter.draw(Capture(frame, "frame", 0.0), result, look)
    if output is not None:
        path = read if isinstance(read, str | Path) else None
        check_apart(Path(output), path, option="output_image_name")
        write_picture(Path(output), drawn)
    return result, as_bgr(drawn)


def as_bgr(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture with its channels the other way round."""
    import numpy as np

    return np.ascontiguousarray(frame[..., ::-1])


def process(
    model: Model,
    video: Path | str | int | Untyped,
    look: Look,
    *,
    fps: float | None = None,
    output: Path | str | None = None,
    show: bool = False,
    check_fps: bool = False,
) -> tuple[Segmentation, NDArray[np.uint8]]:
    """Segment and draw a video or a camera to its end, or until Ctrl-C.

    Parameters
    ----------
    model : Model
        What segments.
    video : Path, str, int or cv2.VideoCapture
        A file, a camera's number, anything that `open_source` takes, or what OpenCV
        has open.
    look : Look
        What is drawn.
    fps : float or None
        Frames a second at most.
    output : Path, str or None
        A video file.
    show : bool
        Show what is drawn on this machine's screen, which needs GStreamer.
    check_fps : bool
        Print how many frames a second were done.

    Returns
    -------
    Segmentation, ndarray
        Those of the last frame; see `draw`.

    Raises
    ------
    InputError
        There is no such video, or it has no frame.
    """
    if output is not None and isinstance(video, str | Path):
        check_apart(Path(output), video, option="output_video_name")
    source = _open(video)
    options = PipelineOptions(fps=fps)
    style = Style(model.manifest, look, fps=options.rate(source.fps))
    last = _Last(style)
    sinks: list[Sink] = [last]
    if output is not None:
        sinks.append(open_sink(f"video:{output}", style))
    if show:
        sinks.append(open_sink("window", style))
    started = time.monotonic()
    with stopping_on_signals() as stop:
        tally = run_pipeline(
            source, model.open_segmenter(), sinks, options=options, stop=stop
        )
    if check_fps:
        print(
            f"{tally.done / max(time.monotonic() - started, 1e-9):.1f} frames a second"
        )
    if last.result is None or last.drawn is None:
        raise InputError(f"{video}: no frame came: expected a video or a camera")
    return last.result, as_bgr(last.drawn)


class _Last(Sink):
    """Keeps what is drawn of the last frame."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self.result: Segmentation | None = None
        self.drawn: NDArray[np.uint8] | None = None

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        self.result = segmentation
        self.drawn = self._style.draw(capture, segmentation)

    def close(self) -> None:
        return None


def _open(video: Path | str | int | Untyped) -> Source:
    if isinstance(video, int):
        return open_source(f"camera:{video}")
    if isinstance(video, str | Path):
        return open_source(str(video))
    return _OpenCapture(video)


class _OpenCapture(Source):
    """A ``cv2.VideoCapture`` that the program opened; released at the end."""

    def __init__(self, capture: Untyped) -> None:
        if not hasattr(capture, "read") or not capture.isOpened():
            raise InputError("expected a cv2.VideoCapture that is open, or a camera")
        self._capture = capture
        self._frames = max(int(capture.get(_COUNT)), 0)
        self._stopped = False

    @property
    def count(self) -> int | None:
        return self._frames or None

    @property
    def fps(self) -> float | None:
        rate = float(self._capture.get(_FPS))
        return rate if 0 < rate <= 1000 else None

    @property
    def live(self) -> bool:
        return not self._frames

    def captures(self, skip: frozenset[str] = frozenset()) -> Iterator[Capture]:
        started, failures, index = time.monotonic(), 0, 0
        rate = self.fps or 25.0
        while not self._stopped and failures < (_FAILURES if self.live else 1):
            there, frame = self._capture.read()
            if not there:
                failures += 1
                continue
            failures = 0
            passed_s = time.monotonic() - started if self.live else index / rate
            yield Capture(as_bgr(frame), f"frame-{index:06d}", passed_s)
            index += 1

    def stop(self) -> None:
        self._stopped = True

    def close(self) -> None:
        self._capture.release()
