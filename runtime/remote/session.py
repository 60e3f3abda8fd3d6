"""A board for as long as one command takes: connected again when a connection ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

from edgeseg.devices.base import Closing
from edgeseg.runtime.remote.address import ConnectionLostError, RemoteError
from edgeseg.runtime.remote.link import Link

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.types import Json
    from edgeseg.runtime.remote.address import BoardAddress

_T = TypeVar("_T")
# a restarting access point takes about half a minute
DELAYS_S = (1.0, 2.0, 4.0, 8.0, 16.0)


class Session(Closing):
    """Asks the board, whatever becomes of the connection.

    Parameters
    ----------
    address : BoardAddress
        Where the board is.
    python : str or None
        The Python there that runs the board's program and makes environments.
    report : callable
        Takes a line for the user.
    delays_s : tuple of float
        How long to wait before each further attempt to connect again.
    """

    def __init__(
        self,
        address: BoardAddress,
        *,
        python: str | None = None,
        report: Callable[[str], None],
        delays_s: tuple[float, ...] = DELAYS_S,
    ) -> None:
        self.address = address
        self.python = python
        self.report = report
        self._delays_s = delays_s
        self._failures = 0
        self._was_there = False
        self._link: Link | None = None

    def close(self) -> None:
        """Hang up."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def link(self) -> Link:
        """Return the connection, made where there is none."""
        if self._link is None:
            self._link = Link(self.address, self.python, self.report)
        return self._link

    def ask(self, op: str, **values: Any) -> Json:
        """Ask something that may be asked twice."""
        answer = self.persist(lambda link: link.ask(op, **values))
        self.moved()
        return answer

    def moved(self) -> None:
        """Note that there is progress: failures before it do not count."""
        self._failures = 0

    def persist(self, step: Callable[[Link], _T]) -> _T:
        """Do a step, again after each lost connection.

        Parameters
        ----------
        step : callable
            Takes a connection; goes on where the one before it came to.

        Raises
        ------
        RemoteError
            The board refuses, or cannot be reached for too long.
        """
        while True:
            try:
                link = self.link()
                self._was_there = True
                return step(link)
            except ConnectionLostError as error:
                self.close()
                if not self._was_there:
                    raise
                self._wait(error)
            except RemoteError:
                self.close()  # the board's program has ended with what it said
                raise

    def _wait(self, error: ConnectionLostError) -> None:
        if self._failures >= len(self._delays_s):
            raise RemoteError(f"{error}; what was copied is kept: call again") from None
        delay_s = self._delays_s[self._failures]
        self._failures += 1
        self.report(f"{error}; trying again in {delay_s:.0f} s")
        time.sleep(delay_s)
