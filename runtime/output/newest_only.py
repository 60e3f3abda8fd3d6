"""A thread of a sink's own that works on the newest item only."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from edgeseg.devices.base import Closing

if TYPE_CHECKING:
    from collections.abc import Callable

Item = TypeVar("Item")


class NewestOnly(Closing, Generic[Item]):
    """Calls a function with the newest item, in a thread; older ones are dropped.

    A failure ends the thread; it is raised once, by `check` or `close`.

    Parameters
    ----------
    work : callable
        Called with one item after the other, always in the same thread.
    name : str
        Of the thread.
    """

    def __init__(self, work: Callable[[Item], None], name: str) -> None:
        self._work = work
        self._changed = threading.Condition()
        self._waiting: list[Item] = []  # one at most
        self._stopped = False
        self._error: BaseException | None = None
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Leave an item for the thread, in place of one that it has not begun."""
        with self._changed:
            self.dropped += len(self._waiting)
            self._waiting[:] = [item]
            self._changed.notify()

    def check(self) -> None:
        """Raise what the thread has failed with."""
        with self._changed:
            error, self._error = self._error, None
        if error is not None:
            raise error

    def close(self, timeout_s: float = 10.0) -> None:
        """Let the thread finish what it has, then end it.

        Parameters
        ----------
        timeout_s : float
            How long to wait; a thread that hangs longer is left behind.
        """
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join(timeout_s)
        self.check()

    def _run(self) -> None:
        try:
            while (item := self._next()) is not None:
                self._work(item)
        except BaseException as error:  # raised again in the thread that asks
            with self._changed:
                self._error = error

    def _next(self) -> Item | None:
        with self._changed:
            while not self._waiting and not self._stopped:
                self._changed.wait()
            return self._waiting.pop() if self._waiting else None
