"""One video file that grows under a part's name and takes its own at the end."""

from __future__ import annotations

import errno
import fcntl
import importlib.util
import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from edgeseg.devices import OutputError
from edgeseg.runtime.output.recording.dated_name import PART, UNFINISHED
from edgeseg.runtime.output.video_opencv import OpencvWriter, plays
from edgeseg.runtime.pictures.atomic import make_folder, remove_empty

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.output.recording.sound import Sound

_log = logging.getLogger(__name__)
_HEADERS_BYTES = 1024  # of a file that has no frame yet; measured: 543 mkv, 731 mov


class VideoWriter(Protocol):
    """What encodes frames into one file."""

    frames: int

    @property
    def size_bytes(self) -> int:
        """Bytes so far, with those that are not on the disk yet."""

    @property
    def frame_bytes(self) -> int:
        """Bytes of the largest frame so far."""

    def write(self, frame: NDArray[np.uint8], time_s: float) -> None:
        """Append a frame."""

    def close(self, until_s: float | None = None) -> None:
        """Finish the file; the last frame is shown until then."""


class Piece:
    """A recording from its first frame to its last.

    It grows under the name ``clip.part.mp4``, which is locked meanwhile, and takes its
    own at the end, also where that comes early or the disk is full.

    Parameters
    ----------
    path : Path
        Its name.
    size_wh : (int, int)
        Even width and height of all frames.
    fps : float or None
        Frames a second where the source has such a rate.
    sound : Sound or None
        What is heard with it.

    Raises
    ------
    OSError
        It cannot be begun; nothing is left behind.
    """

    def __init__(
        self,
        path: Path,
        size_wh: tuple[int, int],
        fps: float | None,
        sound: Sound | None = None,
    ) -> None:
        self.path, self.part = path, part_of(path)
        self.kept: Path | None = None  # its name, once it has it
        self._folders = make_folder(self.part.parent)
        put_aside(self.part, lambda _: unfinished(path))
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._held = os.open(self.part, flags, 0o666)
        try:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._writer = open_writer(self.part, size_wh, fps, sound)
        except BaseException:
            self._drop()
            raise

    @property
    def frames(self) -> int:
        """Frames so far."""
        return self._writer.frames

    @property
    def size_bytes(self) -> int:
        """Bytes so far."""
        return self._writer.size_bytes

    def fits(self, limit_bytes: int) -> bool:
        """Return whether it stays smaller than a limit with one more frame."""
        writer = self._writer
        return writer.size_bytes + 2 * writer.frame_bytes <= limit_bytes

    def write(self, frame: NDArray[np.uint8], time_s: float) -> None:
        """Append a frame."""
        self._writer.write(frame, time_s)

    def finish(
        self,
        until_s: float | None = None,
        *,
        damaged: bool = False,
        other: Callable[[], Path] | None = None,
    ) -> None:
        """Close the file and give it its name; one that is damaged only if it plays.

        Its name is `kept` then, also after an error.

        Parameters
        ----------
        until_s : float or None
            When the next frame comes, which is in another piece.
        damaged : bool
            Something could not be written.
        other : callable or None
            Gives another name where its own was taken meanwhile; None: it replaces
            what has its name.

        Raises
        ------
        OSError
            Its end could not be written.
        """
        writer = self._writer
        try:
            writer.close(until_s)
        except OSError:
            damaged = True
            raise
        finally:
            if writer.frames > 0 and not (damaged and not self._plays()):
                self._name(other)
            else:
                self._drop()
            self._release()

    def _name(self, other: Callable[[], Path] | None) -> None:
        if not self.part.stat().st_size:
            self._drop()
            return
        if other is not None and os.path.lexists(self.path):
            self.path = other()
        self.part.replace(self.path)
        self.kept = self.path

    def _plays(self) -> bool:
        return self.part.is_file() and plays(self.part)

    def _drop(self) -> None:
        self.part.unlink(missing_ok=True)
        remove_empty(self._folders)
        self._release()

    def _release(self) -> None:
        held, self._held = self._held, -1
        if held >= 0:
            os.close(held)


def open_writer(
    path: Path, size_wh: tuple[int, int], fps: float | None, sound: Sound | None
) -> VideoWriter:
    """Return what encodes a file best here."""
    if path.suffix.lower() == ".avi":
        return OpencvWriter(path, size_wh, fps)
    try:
        from edgeseg.runtime.output.video_pyav import PyavWriter
    except ImportError as error:
        if error.name != "av":
            raise  # our own bug, not a missing package
        return OpencvWriter(path, size_wh, fps)
    return PyavWriter(path, size_wh, fps, sound)


def warn_without_pyav(suffix: str) -> None:
    """Say what recordings lack where PyAV is not installed."""
    if suffix.lower() != ".avi" and importlib.util.find_spec("av") is None:
        _log.warning(
            "PyAV is not installed: the video has a constant frame rate and does not "
            "play if the run is killed; pip install 'edgeseg[video]'"
        )


def part_of(path: Path) -> Path:
    """Return the name of a file while it is written."""
    return path.with_suffix(f"{PART}{path.suffix}")


def unfinished(path: Path) -> Path:
    """Return a free name for what a kill has left of a file."""
    number = 1
    while os.path.lexists(
        kept := path.with_suffix(f"{UNFINISHED}-{number}{path.suffix}")
    ):
        number += 1
    return kept


def put_aside(part: Path, name: Callable[[bool], Path]) -> None:
    """Rename what a killed run has left, so that it is not overwritten.

    One that was killed before its first frames were on the disk has left nothing.

    Parameters
    ----------
    part : Path
        Its name while it was written.
    name : callable
        Gives its new name; called with whether it plays.

    Raises
    ------
    OutputError
        Something else has the name, or another process is writing it.
    """
    if not os.path.lexists(part):
        return
    if part.is_symlink() or not part.is_file():
        raise OutputError(f"{part} is in the way, and is no file: remove it")
    if is_held(part):
        raise OutputError(f"{part} is being recorded by another run: name another file")
    playing = plays(part)
    if part.stat().st_size <= _HEADERS_BYTES and not playing:
        part.unlink()
        return
    kept = name(playing)
    part.replace(kept)
    _log.warning("a recording that was cut short is kept as %s", kept)


def is_held(part: Path) -> bool:
    """Return whether a process is writing a part, as far as its lock says."""
    descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EACCES)
    finally:
        os.close(descriptor)
    return False
