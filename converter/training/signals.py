"""Being asked to stop: finish the step, save, and say so."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class StopRequest:
    """Holds the number of the signal that asked to stop, or None."""

    def __init__(self) -> None:
        self.signum: int | None = None

    def note(self, signum: int, frame: Any) -> None:
        """Remember a signal; called by Python. The second one stops at once."""
        if self.signum is not None:
            raise KeyboardInterrupt
        self.signum = signum


@contextmanager
def listening() -> Iterator[StopRequest]:
    """Note SIGINT and SIGTERM instead of dying of them, for a with-block.

    Only the main thread can; elsewhere nothing is noted.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(kind, request.note) for kind in kinds]
    try:
        yield request
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
