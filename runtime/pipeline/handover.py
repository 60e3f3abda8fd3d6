"""Handing frames from one thread to another, without waiting for ever."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from edgeseg.runtime.pipeline.stopping import TICK_S

if TYPE_CHECKING:
    from edgeseg.runtime.pipeline.stopping import Stop

_T = TypeVar("_T")


class Handover(Generic[_T]):
    """A short queue between a thread that gives and one that takes.

    Nobody waits in it after the stop was asked for, the giver has ended it, or the
    taker has refused more.

    Parameters
    ----------
    size : int
        What it holds at most.
    stop : Stop
        Ends all waiting.
    newest : bool
        The giver never waits: the oldest goes where there is no room. With size 1
        this is the slot of a live source, in which the newest frame wins.

    Examples
    --------
    >>> from edgeseg.runtime.pipeline.stopping import Stop
    >>> slot = Handover(1, Stop(), newest=True)
    >>> slot.put("old"), slot.put("new")
    (0, 1)
    >>> slot.get()
    'new'
    """

    def __init__(self, size: int, stop: Stop, *, newest: bool = False) -> None:
        self._size = size
        self._stop = stop
        self._newest = newest
        self._items: deque[_T] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._is_ended = self._is_refused = False

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to take."""
        return self._stop.asked or (self._is_ended and not self._items)

    def put(self, item: _T) -> int:
        """Give an item, waiting for room; it is dropped once nobody wants it.

        Returns
        -------
        int
            How many older items it has replaced.
        """
        with self._changed:
            while not self._newest and self._is_full():
                self._changed.wait(TICK_S)
            if self._is_over():
                return 0
            replaced = len(self._items) >= self._size
            if replaced:
                self._items.popleft()
            self._items.append(item)
            self._changed.notify_all()
            return int(replaced)

    def get(self, patience_s: float = TICK_S) -> _T | None:
        """Take the oldest item; None where none comes in time."""
        with self._changed:
            if not self._items and not self.ended:
                self._changed.wait(patience_s)
            if not self._items or self._stop.asked:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def has_item(self, patience_s: float = TICK_S) -> bool:
        """Return whether `get` would not wait, after waiting for that a little."""
        with self._changed:
            if not self._items and not self.ended:
                self._changed.wait(patience_s)
            return bool(self._items)

    def has_room(self, patience_s: float = TICK_S) -> bool:
        """Return whether `put` would not wait, after waiting for that a little."""
        with self._changed:
            if self._is_full():
                self._changed.wait(patience_s)
            return not self._is_full()

    def end(self) -> None:
        """Say that nothing more will be given."""
        with self._changed:
            self._is_ended = True
            self._changed.notify_all()

    def refuse(self) -> None:
        """Say that nothing more will be taken."""
        with self._changed:
            self._is_refused = True
            self._changed.notify_all()

    def _is_over(self) -> bool:
        return self._stop.asked or self._is_refused

    def _is_full(self) -> bool:
        return len(self._items) >= self._size and not self._is_over()
