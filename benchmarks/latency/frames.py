"""The pictures of a measurement: held in memory, and read again to time the reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime import open_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

MOST = 32  # pictures: enough that no cache holds them all
_MOST_BYTES = 128 << 20  # a board with 1 GB must hold them beside the model


def hold_frames(source: str) -> list[NDArray[np.uint8]]:
    """Return the first pictures of a source, decoded.

    Parameters
    ----------
    source : str
        See `open_source`. At most 32 pictures, or 128 MiB, are taken.

    Raises
    ------
    InputError
        There is no such source, or no picture of it can be read.
    """
    held: list[NDArray[np.uint8]] = []
    with open_source(source) as opened:
        for capture in opened.captures():
            held.append(capture.frame)
            if len(held) == MOST or sum(f.nbytes for f in held) >= _MOST_BYTES:
                break
        if not held:
            reason = "; ".join(opened.failures[:1]) or "it gives none"
            raise InputError(f"no picture of {source} can be used: {reason}")
    return held


def is_decoded(source: str) -> bool:
    """Return whether pictures come out of files or a camera, not out of a drawing."""
    return not source.startswith("synthetic:")


def read_on(source: str) -> Iterator[NDArray[np.uint8]]:
    """Give the pictures of a source again and again, each one decoded when asked.

    Raises
    ------
    InputError
        No picture can be read any more.
    """
    found = True
    while found:
        found = False
        with open_source(source) as opened:
            for capture in opened.captures():
                found = True
                yield capture.frame
    raise InputError(f"the pictures of {source} are gone")
