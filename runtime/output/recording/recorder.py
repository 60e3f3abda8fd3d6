"""Pieces of a recording, one after the other, for as long as there is room."""

from __future__ import annotations

import errno
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.output.recording.clock import VideoClock
from edgeseg.runtime.output.recording.dated_name import PART
from edgeseg.runtime.output.recording.piece import Piece, put_aside, unfinished
from edgeseg.runtime.output.recording.space import Space

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.output.recording.dated_name import DatedName
    from edgeseg.runtime.output.recording.options import RecordingOptions
    from edgeseg.runtime.output.recording.sound import Sound

_log = logging.getLogger(__name__)
_TRIES = 5
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Recorder(Closing):
    """Writes frames into files of a name, and begins the next where one ends.

    Parameters
    ----------
    name : DatedName
        Of the files.
    options : RecordingOptions
        How they are cut and kept.
    fps : float or None
        Frames a second where the source has such a rate.
    lasting : bool
        The recording goes on for as long as it may: no file is replaced, old ones are
        removed as the options say, and a full disk is waited for. Else there is one
        file, which replaces one of its name, and a full disk is an error.
    sound : Sound or None
        What is heard with it.
    """

    def __init__(
        self,
        name: DatedName,
        options: RecordingOptions,
        fps: float | None,
        *,
        lasting: bool,
        sound: Sound | None = None,
    ) -> None:
        self._name, self._options, self._fps = name, options, fps
        self._sound = sound
        self._space = Space(name, options) if lasting else None
        self._clock = VideoClock(fps)
        self._piece: Piece | None = None
        self._begun_s = 0.0
        self._time_s = self._clock_s = 0.0
        self._first = True
        self._is_broken = False

    @property
    def state(self) -> Json:
        """Whether there is room; empty where a full disk is an error."""
        return {} if self._space is None else self._space.state

    def write(self, frame: NDArray[np.uint8], time_s: float, clock_s: float) -> None:
        """Append a frame.

        Parameters
        ----------
        frame : ndarray
            ``(H, W, 3)`` uint8 RGB with even sides, all of one size.
        time_s : float
            Its capture time.
        clock_s : float
            The same in seconds since 1970, for names.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        stamp_s = self._clock.stamp(time_s)
        self._time_s, self._clock_s = time_s, clock_s
        try:
            if self._is_broken:
                raise OutputError("the recording has ended with an error")
            if self._first:
                self._first = False
                self._recover()
            if not self._has_room():
                self._end(stamp_s)
                return
            if self._piece is not None and self._is_over(self._piece, stamp_s):
                self._end(stamp_s)
                if not self._has_room(at_once=True):  # an old piece may have to go now
                    return
            self._append(frame, stamp_s)
        except OSError as error:
            self._is_broken = True
            path, piece = self._path(), self._piece
            with suppress(OSError):  # the first error is the one to raise
                self._end(None, damaged=True)
            raise _error(error, path, piece) from error

    def end_piece(self) -> None:
        """Finish the piece, so that the next frame begins another."""
        path, piece = self._path(), self._piece
        try:
            self._end(None)
        except OSError as error:
            raise _error(error, path, piece) from error

    def check(self) -> None:
        """Raise `OutputError` if the file or its folder was removed."""
        if self._piece is not None and not self._piece.part.exists():
            raise OutputError(f"{self._piece.part} was removed while it was recorded")

    def close(self) -> None:
        """Finish the file and give it its name."""
        path, piece = self._path(), self._piece
        try:
            self._end(None)
            if piece is not None:
                self._has_room(at_once=True)  # what is not to be kept goes now
        except OSError as error:
            raise _error(error, path, piece) from error
        finally:
            if self._sound is not None:
                self._sound.close()

    def _append(self, frame: NDArray[np.uint8], stamp_s: float) -> None:
        """Write a frame; where the disk is full, wait for room from now on."""
        for _ in range(2):
            if self._piece is None:
                try:
                    size_wh = frame.shape[1], frame.shape[0]
                    self._piece = self._begin(size_wh, stamp_s)
                except OSError as error:
                    if self._waits_for(error):
                        return
                    raise
            try:
                self._piece.write(frame, stamp_s)
            except OSError as error:
                too_large = _number(error) == errno.EFBIG and self._piece.frames > 0
                if not self._waits_for(error) and not (too_large and self._space):
                    raise
                with suppress(OSError):
                    self._end(stamp_s, damaged=True)
                if too_large:  # FAT ends at 4 GB: the frame goes to the next piece
                    continue
            return

    def _begin(self, size_wh: tuple[int, int], stamp_s: float) -> Piece:
        if self._sound is not None:
            self._sound.begin(self._time_s)
        self._begun_s = stamp_s
        tries = 1 if self._space is None else _TRIES
        while True:
            tries -= 1
            try:
                return Piece(self._path(), size_wh, self._fps, self._sound)
            except FileExistsError:  # another run took the name just now
                if not tries:
                    raise

    def _path(self) -> Path:
        if self._piece is not None:
            return self._piece.path
        if self._space is None:
            return self._name.at(self._clock_s)
        return self._name.free_at(self._clock_s)

    def _is_over(self, piece: Piece, stamp_s: float) -> bool:
        options = self._options
        if options.piece_s is not None and stamp_s - self._begun_s >= options.piece_s:
            return True
        limit = options.piece_bytes
        return limit is not None and not piece.fits(limit)

    def _end(self, until_s: float | None, *, damaged: bool = False) -> None:
        piece, self._piece = self._piece, None
        if piece is None:
            return
        other = None if self._space is None else self._path
        try:
            piece.finish(until_s, damaged=damaged, other=other)
        except OSError as error:
            if not self._waits_for(error):
                raise

    def _has_room(self, *, at_once: bool = False) -> bool:
        if self._space is None:
            return True
        writing = 0 if self._piece is None else self._piece.size_bytes
        return self._space.has_room(writing, at_once=at_once)

    def _waits_for(self, error: OSError) -> bool:
        """Return whether an error is one of a full disk, which then is waited for."""
        if self._space is None or not is_full_disk(error):
            return False
        self._space.is_full(reason_of(error))
        return True

    def _recover(self) -> None:
        """Give what killed runs have left of dated recordings a name."""
        if self._space is None:
            return
        for part in self._name.part_files():
            path = part.with_name(
                f"{part.name[: -len(PART + part.suffix)]}{part.suffix}"
            )

            def named(playing: bool, path: Path = path) -> Path:
                free = playing and self._name.is_dated and not path.exists()
                return path if free else unfinished(path)

            # another run may be writing it
            with suppress(OSError):
                put_aside(part, named)


def is_full_disk(error: BaseException) -> bool:
    """Return whether something could not be written because the disk is full."""
    return _number(error) in _FULL


def _number(error: BaseException | None) -> int | None:
    """Return the number of an error of the system, or of what has caused it."""
    while error is not None:
        number = getattr(error, "errno", None)
        if number is not None:
            return int(number)
        error = error.__cause__
    return None


def _error(error: OSError, path: Path, piece: Piece | None) -> OutputError:
    kept = None if piece is None else piece.kept
    words = f"; what was recorded before stays in {kept}" if kept is not None else ""
    return OutputError(f"cannot write {path}: {reason_of(error)}{words}")
