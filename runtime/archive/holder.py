"""What runs in an actor's process: it holds one worker.

Errors of edgeseg travel as values: Ray would wrap them in a traceback.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import EdgesegError
from edgeseg.devices import errors as _errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.types import Untyped


@dataclass(frozen=True)
class Failure:
    """An error of edgeseg.

    Parameters
    ----------
    kind : str
        Name of its class.
    text : str
        Its message.
    """

    kind: str
    text: str

    @classmethod
    def of(cls, error: EdgesegError) -> Failure:
        """Return an error as a value."""
        return cls(type(error).__name__, str(error))

    def error(self) -> EdgesegError:
        """Return the error again."""
        kind = getattr(_errors, self.kind, EdgesegError)
        error: EdgesegError = kind(self.text)
        return error


class Holder:
    """Makes a worker, and gives it batches one after the other."""

    def __init__(self) -> None:
        self._worker: Untyped = None

    def open(
        self, make: Callable[..., Untyped], arguments: tuple[object, ...]
    ) -> Failure | None:
        """Make the worker; return what it raised."""
        try:
            self._worker = make(*arguments)
        except EdgesegError as error:
            return Failure.of(error)
        return None

    def work(self, batch: object) -> object:
        """Return what the worker makes of a batch, or what it raised."""
        try:
            return self._worker(batch)
        except EdgesegError as error:
            return Failure.of(error)
