"""Errors of all threads of a run, raised once in the caller's thread."""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.runtime.pipeline.stopping import Stop

_log = logging.getLogger(__name__)


class Failures:
    """Errors in the order in which they came; the first one ends the run.

    Parameters
    ----------
    stop : Stop
        Set at the first error.
    """

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._errors: list[BaseException] = []

    def __bool__(self) -> bool:
        return bool(self._errors)

    def attempt(self, work: Callable[[], object]) -> None:
        """Do something; what it raises is kept for `raise_first`."""
        try:
            work()
        except BaseException as error:
            self._errors.append(error)
            self._stop.ask()

    def raise_first(self) -> None:
        """Raise the first error; the others become notes or log messages."""
        if not self._errors:
            return
        first, *others = self._errors
        for other in others:
            also = f"also: {type(other).__name__}: {other}"
            if sys.version_info >= (3, 11):
                first.add_note(also)
            else:
                _log.warning("%s", also)
        raise first


class WorkerThread:
    """A thread whose errors are kept, and which no process waits for at its end.

    Parameters
    ----------
    name : str
        Of the thread.
    work : callable
        What it does.
    failures : Failures
        Gets what it raises.
    """

    def __init__(
        self, name: str, work: Callable[[], object], failures: Failures
    ) -> None:
        self._thread = threading.Thread(
            target=failures.attempt, args=(work,), name=f"edgeseg-{name}", daemon=True
        )
        self._thread.start()

    def join(self, patience_s: float) -> bool:
        """Wait for its end; return whether it came."""
        self._thread.join(patience_s)
        return not self._thread.is_alive()
