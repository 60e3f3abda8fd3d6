"""Progress of a copy on standard error, where it takes long."""

from __future__ import annotations

import time

from edgeseg.devices._closing import Closing
from edgeseg.runtime.progress import OverwrittenLine

_LONG_S = 1.0
_EVERY_S = 0.2  # on a terminal
_SELDOM_S = 10.0  # elsewhere


class TransferLine(Closing):
    """One line that is written over on a terminal, a line now and then elsewhere.

    Parameters
    ----------
    total, done : int
        Bytes in all, and those that are there already.
    files : int
        How many files they are of.
    """

    def __init__(self, total: int, done: int, files: int) -> None:
        self._total = total
        self._done = self._there = done
        self._of = "1 file" if files == 1 else f"{files} files"
        self._line = OverwrittenLine()
        self._began = time.monotonic()
        self._next = self._began + _LONG_S

    def close(self) -> None:
        """Remove the line."""
        self._line.end()

    def show(self, count: int) -> None:
        """Note that so many bytes more were sent."""
        self._done += count
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (_EVERY_S if self._line.is_terminal else _SELDOM_S)
        self._line.write(self._text(now))

    def _text(self, now: float) -> str:
        rate = (self._done - self._there) / (now - self._began)
        left_s = (self._total - self._done) / rate
        return (
            f"copying {self._of}: {self._done / 1e6:.1f} of {self._total / 1e6:.1f} MB "
            f"at {rate / 1e6:.1f} MB/s, {left_s:.0f} s left"
        )
