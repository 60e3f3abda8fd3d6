"""Turns at something that several runs share: who has waited longest comes first."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edgeseg.runtime.pipeline.stopping import TICK_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.runtime.pipeline.stopping import Stop


class Turns:
    """Lets one thread at a time work, in the order in which they came.

    Each run asks again only after its turn, so that a camera with many frames gets no
    more turns than one with few, while both have some that wait.

    Examples
    --------
    >>> from edgeseg.runtime.pipeline.stopping import Stop
    >>> with Turns().turn(Stop()) as mine:
    ...     mine
    True
    """

    def __init__(self) -> None:
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition(threading.Lock())

    @contextmanager
    def turn(self, stop: Stop) -> Iterator[bool]:
        """Wait for a turn, which lasts for a with-block.

        Parameters
        ----------
        stop : Stop
            Ends the waiting.

        Yields
        ------
        bool
            Whether it is this thread's turn; False after a stop.
        """
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            while self._waiting[0] is not ticket and not stop.asked:
                self._changed.wait(TICK_S)
            mine = self._waiting[0] is ticket
        try:
            yield mine
        finally:
            with self._changed:
                self._waiting.remove(ticket)
                self._changed.notify_all()
