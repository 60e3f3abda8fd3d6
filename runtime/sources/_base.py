"""The contract of a source: something that gives pictures, one after the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices._closing import Closing

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray


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
    """

    frame: NDArray[np.uint8]
    name: str
    time_s: float


class Source(Closing, ABC):
    """Pictures from a file, folder or camera, in order.

    ``PLUGIN(text)`` opens what the string says or raises `InputError`. Iterating is
    done once. A picture that cannot be read is skipped and named in `failures`; a
    source that can give nothing more raises. Whoever opened a source closes it.
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
    def failures(self) -> tuple[str, ...]:
        """What could not be read so far, one line each."""
        return ()

    def names(self) -> tuple[str, ...]:
        """Return the names that captures will have, where they are known."""
        return ()
