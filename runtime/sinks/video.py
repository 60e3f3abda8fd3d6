"""Video file of the drawn frames: ``clip.mp4`` or ``video:FILE``."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from edgeseg.devices import InputError, OutputError
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.output.sink import Sink
from edgeseg.runtime.output.streaming import FirstSize
from edgeseg.runtime.output.video_opencv import CODECS, OpencvWriter, plays
from edgeseg.runtime.pictures.atomic import check_writable, make_folder, remove_empty

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.segmentation.segmenter import Segmentation

_logger = logging.getLogger(__name__)

_HEADERS_BYTES = 1024  # of a file that has no frame yet; measured: 543 mkv, 731 mov


class _VideoWriter(Protocol):
    frames: int

    def write(self, frame: NDArray[np.uint8], time_s: float) -> None: ...
    def close(self) -> None: ...


class VideoSink(Sink):
    """Records what is drawn, each frame at its capture time.

    With PyAV (the extra ``video``) an ``.mp4``, ``.mov`` or ``.mkv`` holds H.264 with
    true time stamps; without it, and in an ``.avi``, all frames last equally long.

    A recording grows under the name ``clip.part.mp4`` and takes its own at the end,
    also when the run ends early or the disk is full. With PyAV the part file plays at
    any moment: after a power cut or a kill, all but the last second is there. Where a
    part file is found, the next recording first puts it aside as
    ``clip.unfinished-1.mp4``: nothing recorded is overwritten unfinished.

    Parameters
    ----------
    text : str
        File name that ends in .mp4, .mkv, .mov or .avi.
    style : Style
        How to draw, and the frame rate.
    """

    def __init__(self, text: str, style: Style) -> None:
        self._path = Path(text)
        if self._path.suffix.lower() not in CODECS:
            raise InputError(
                f"expected a video name that ends in {', '.join(CODECS)}, got {text}"
            )
        check_writable(self._path)
        self._part = self._path.with_suffix(f".part{self._path.suffix}")
        self._style = style
        self._size = FirstSize()
        self._writer: _VideoWriter | None = None
        self._folders: list[Path] = []  # made for the recording
        self._is_broken = False
        self._is_kept = False  # what was recorded, under its name

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Append one frame, letterboxed to the first one's size where it differs."""
        frame = self._size.fit(self._style.draw(capture, segmentation))
        try:
            if self._is_broken:
                raise OutputError("the recording has ended with an error")
            if self._writer is None:
                self._writer = self._begun()
            self._writer.write(frame, capture.time_s)
        except OSError as error:
            self._is_broken = True
            with suppress(OutputError):  # the first error is the one to raise
                self._finish(damaged=True)
            raise self._error(error) from error

    def check(self) -> None:
        """Raise `OutputError` if the recording or its folder was removed."""
        if self._writer is not None and not self._part.exists():
            raise OutputError(f"{self._part} was removed while it was recorded")

    def close(self) -> None:
        """Finish the file and give it its name."""
        self._finish(damaged=False)

    def _finish(self, *, damaged: bool) -> None:
        """Close the recording; one that is damaged is kept if it plays."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            try:
                writer.close()
            except OSError:
                damaged = True
                raise
            finally:
                self._keep(writer.frames > 0 and not (damaged and not self._plays()))
        except OSError as error:
            raise self._error(error) from error

    def _keep(self, kept: bool) -> None:
        if kept and self._part.stat().st_size:
            self._part.replace(self._path)
            self._is_kept = True
        else:
            self._part.unlink(missing_ok=True)
            remove_empty(self._folders)

    def _plays(self) -> bool:
        return self._part.is_file() and plays(self._part)

    def _begun(self) -> _VideoWriter:
        """Open the part file, which must be a new one: others may write there."""
        self._folders = make_folder(self._part.parent)
        _put_aside(self._part, self._path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        os.close(os.open(self._part, flags, 0o666))
        try:
            return _open_writer(self._part, self._size.size_wh, self._style.fps)
        except BaseException:
            self._part.unlink(missing_ok=True)
            remove_empty(self._folders)
            raise

    def _error(self, error: OSError) -> OutputError:
        kept = f"; what was recorded before stays in {self._path}"
        reason = reason_of(error)
        return OutputError(
            f"cannot write {self._path}: {reason}{kept if self._is_kept else ''}"
        )


def _open_writer(
    path: Path, size_wh: tuple[int, int], fps: float | None
) -> _VideoWriter:
    if path.suffix.lower() == ".avi":
        return OpencvWriter(path, size_wh, fps)
    try:
        from edgeseg.runtime.output.video_pyav import PyavWriter
    except ImportError as error:
        if error.name != "av":
            raise  # our own bug, not a missing package
        _logger.warning(
            "PyAV is not installed: the video has a constant frame rate and does not "
            "play if the run is killed; pip install 'edgeseg[video]'"
        )
        return OpencvWriter(path, size_wh, fps)
    return PyavWriter(path, size_wh, fps)


def _put_aside(part: Path, path: Path) -> None:
    """Rename what a killed run has left, so that it is not overwritten.

    One that was killed before its first frames were on the disk has left nothing.
    """
    if not os.path.lexists(part):
        return
    if part.is_symlink() or not part.is_file():
        raise OutputError(f"{part} is in the way, and is no file: remove it")
    if part.stat().st_size <= _HEADERS_BYTES and not plays(part):
        part.unlink()
        return
    number = 1
    while os.path.lexists(kept := _unfinished(path, number)):
        number += 1
    part.replace(kept)
    _logger.warning("a recording that was cut short is kept as %s", kept)


def _unfinished(path: Path, number: int) -> Path:
    return path.with_suffix(f".unfinished-{number}{path.suffix}")


ADDRESS = AddressKind(
    Rest.FILE, bare=(".mp4", ".mkv", ".avi", ".mov"), name_is_path=True
)
PLUGIN = VideoSink
