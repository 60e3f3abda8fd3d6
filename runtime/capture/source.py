"""The contract of a source: something that gives pictures, one after the other."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.base import Closing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array, Json


@dataclass(frozen=True)
class CaptureOptions:
    """What a user asks of a source.

    Parameters
    ----------
    size_wh : (int, int) or None
        Width and height that a camera or a child process is asked for; files keep
        their own.
    fps : float or None
        Frames a second that a camera is asked for.
    rotate : {0, 90, 180, 270}
        Degrees clockwise by which frames are turned.
    wait : bool
        Keep trying where a live source is not there at first.

    Raises
    ------
    InputError
        A value is none of these.
    """

    size_wh: tuple[int, int] | None = None
    fps: float | None = None
    rotate: int = 0
    wait: bool = False

    def __post_init__(self) -> None:
        if self.rotate not in (0, 90, 180, 270):
            raise InputError(f"rotate: expected 0, 90, 180 or 270, got {self.rotate}")
        if self.size_wh is not None and min(self.size_wh) < 1:
            raise InputError(f"size: expected WIDTHxHEIGHT, got {self.size_wh}")
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise InputError(f"camera fps: expected 0..1000, got {self.fps}")


# what a source is asked for where nobody asks for anything
AS_IT_COMES = CaptureOptions()


@dataclass(frozen=True)
class Capture:
    """One picture from a source.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB.
    name : str
        Relative path without suffix that outputs are named after.
    time_s : float
        Capture time in seconds since the source's first frame.
    captured_s : float
        When it was captured, by this process's `time.monotonic`; a frame's age counts
        from here.
    output : ndarray or None
        What a network in the camera has answered to this frame: float scores of shape
        ``(1, h, w, C)``, which are read in place of an inference.
    """

    frame: NDArray[np.uint8]
    name: str
    time_s: float
    captured_s: float = field(default_factory=time.monotonic)
    output: Array | None = None


class Source(Closing, ABC):
    """Pictures from a file, folder or camera, in order.

    ``PLUGIN(text, options)`` opens what the string says or raises `InputError`;
    ``ADDRESS`` says whether that is a file, a folder, a device or a network address.
    Iterating is done once. A picture that cannot be read is skipped and named in
    `failures`; a source that can give nothing more raises. A live source never ends
    by itself: where its camera or stream stops, it connects again. Frames come upright
    as `CaptureOptions.rotate` asks. Whoever opened a source closes it.
    """

    @property
    @abstractmethod
    def count(self) -> int | None:
        """How many pictures there will be; None where that is not known."""

    @property
    @abstractmethod
    def fps(self) -> float | None:
        """Frames a second; None where pictures have no common time."""

    @abstractmethod
    def captures(self, skip: frozenset[str] = frozenset()) -> Iterator[Capture]:
        """Give the pictures, without those whose name is in `skip`."""

    @property
    def live(self) -> bool:
        """Whether pictures come in real time, so that only the newest is of use."""
        return False

    @property
    def dropped(self) -> int:
        """How many frames newer ones have replaced inside a live source.

        Counted from the first capture on; what a run drops itself is not in it.
        """
        return 0

    @property
    def state(self) -> Json:
        """State of a running source, as JSON values.

        A live source has ``connected`` (bool) and ``reconnects`` (int). One that tries
        to connect again for as long as it takes counts its ``tries`` (int) and gives
        the last ``error`` (str or None): while they rise, it does not count as hung.
        """
        return {}

    def stop(self) -> None:
        """Make `captures` end within half a second; called from any thread."""
        return None

    @property
    def failures(self) -> tuple[str, ...]:
        """What could not be read so far, one line each."""
        return ()

    def names(self) -> tuple[str, ...]:
        """Return the names that captures will have, where they are known."""
        return ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that are read, none of which an output may be."""
        return ()

    @property
    def sound(self) -> Path | None:
        """File whose sound belongs to the frames, if it has any."""
        return None
