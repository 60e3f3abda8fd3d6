"""Errors of all threads of a run, raised once in the caller's thread."""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeseg.runtime.capture.source import Source
    from edgeseg.runtime.pipeline.meter import Tally
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


class UnreadError(InputError):
    """Some pictures of a source could not be read; all others are done.

    Parameters
    ----------
    failures : sequence of str
        One line each.
    tally : Tally
        What was done.
    """

    def __init__(self, failures: Sequence[str], tally: Tally) -> None:
        count = len(failures)
        self.failures, self.tally = tuple(failures), tally
        self.summary = (
            f"{count} of {tally.done + count} pictures could not be read, the others "
            "are done"
        )
        more = f" (and {count - 1} more)" if count > 1 else ""
        super().__init__(f"{self.summary}: {failures[0]}{more}")


def raise_failures(source: Source, tally: Tally) -> None:
    """Raise what became of a run's source.

    Raises
    ------
    UnreadError
        Some of its pictures could not be read.
    InputError
        It gave nothing.
    """
    if source.failures:
        raise UnreadError(source.failures, tally)
    if not tally.done and not tally.skipped:
        raise InputError("the source gave no pictures")
