"""The sound of a video file, taken over into what is recorded of it."""

from __future__ import annotations

import importlib
import logging
import re
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.drawing.open_effect import is_private

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Module
    from edgeseg.runtime.output.sink import Style

_log = logging.getLogger(__name__)
_HEAD = 1 << 20  # bytes in which containers name their tracks, as a rule
# of AVI, Matroska and WebM; and of MP4 and MOV, where it may also stand at the end
_TRACKS = re.compile(rb"auds|\x86[\x80-\xff]A_[A-Z]|hdlr.{8}soun", re.DOTALL)


def open_sound(style: Style, wanted: str | None, suffix: str) -> Sound | None:
    """Return the sound that belongs to a recording; say it where it is dropped.

    Parameters
    ----------
    style : Style
        Gives the file that is read, and whether something is hidden.
    wanted : {"copy", "drop"} or None
        What was asked for.
    suffix : str
        Of the recording.

    Raises
    ------
    InputError
        A copy was asked for and cannot be made.
    """
    path = style.sound
    if path is None and wanted == "copy":
        raise InputError("audio=copy: expected a video file as the source")
    if path is None or wanted == "drop":
        return None
    reason = _hindrance(path, suffix)
    if reason is None and wanted is None and is_private(style.look.effect):
        reason = "voices are not hidden; ?audio=copy takes them over"
    if not _has_sound(path):
        return None
    if reason is None:
        return Sound(path, is_asked=wanted == "copy")
    if wanted == "copy":
        raise InputError(f"audio=copy: the sound of {path} cannot be copied: {reason}")
    _log.warning("the sound of %s is left out: %s", path, reason)
    return None


def _hindrance(path: Path, suffix: str) -> str | None:
    if suffix.lower() == ".avi":
        return "expected a recording in .mp4, .mov or .mkv"
    if _pyav() is None:
        return "PyAV is not installed: pip install 'edgeseg[video]'"
    return None


def _has_sound(path: Path) -> bool:
    av = _pyav()
    if av is not None:
        try:
            with av.open(str(path)) as file:
                return bool(file.streams.audio)
        except (av.FFmpegError, OSError, UnicodeError):
            return False
    with path.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(max(file.seek(0, 2) - _HEAD, 0))
        return _TRACKS.search(head + file.read(_HEAD)) is not None


def _pyav() -> Module | None:
    try:
        return importlib.import_module("av")
    except ImportError:
        return None


class Sound(Closing):
    """Copies packets of a file's first audio track, each into one piece.

    Parameters
    ----------
    path : Path
        The file.
    is_asked : bool
        That it cannot be copied is an error.
    """

    def __init__(self, path: Path, *, is_asked: bool) -> None:
        av = importlib.import_module("av")
        self._path, self._is_asked = path, is_asked
        self._file = av.open(str(path))
        self._track = self._file.streams.audio[0]
        self._errors = (av.FFmpegError, ValueError, OSError)
        self._packets = self._file.demux(self._track)
        self._next: Module = None  # the packet that is to be copied next
        video = self._file.streams.video
        start, base = (video[0].start_time, video[0].time_base) if video else (0, 1)
        self._origin_s = float((start or 0) * base)
        self._begins_s = 0.0
        self._target: Module = None
        self._is_over = False

    def begin(self, time_s: float) -> None:
        """Say at what time of the source a piece begins."""
        self._begins_s = time_s

    def attach(self, container: Module) -> bool:
        """Add the track to a file that is to be written; return whether that went.

        Raises
        ------
        InputError
            It did not, and was asked for.
        """
        if self._is_over:
            return False
        try:
            self._target = container.add_stream_from_template(self._track)
            container.start_encoding()
        except self._errors as error:
            self._is_over = True
            codec = self._track.codec_context.name
            reason = f"{codec} does not go into a file of {container.format.name}"
            if self._is_asked:
                raise InputError(
                    f"audio=copy: the sound of {self._path} cannot be copied: "
                    f"{reason}; a .mkv takes most"
                ) from error
            _log.warning("the sound of %s is left out: %s", self._path, reason)
            return False
        return True

    def copy_until(self, container: Module, time_s: float) -> int:
        """Write what is heard before a time of the piece; return its bytes."""
        written = 0
        while not self._is_over:
            packet = self._following()
            if packet is None:
                break
            since_s = float(packet.pts * packet.time_base)
            since_s -= self._origin_s + self._begins_s
            if since_s >= time_s:
                break
            self._next = None
            if since_s >= 0:  # what was before is of no piece
                packet.pts = packet.dts = round(since_s / packet.time_base)
                packet.stream = self._target
                written += packet.size
                container.mux(packet)
        return written

    def _following(self) -> Module:
        """Return the packet that comes next, without taking it; None at the end."""
        try:
            while self._next is None:
                packet = next(self._packets)
                if packet.size and packet.pts is not None:
                    self._next = packet
        except StopIteration:
            self._is_over = True
        except self._errors as error:
            self._is_over = True
            _log.warning("the sound of %s ends early: %s", self._path, reason_of(error))
        return self._next

    def close(self) -> None:
        """Close the file."""
        self._file.close()
