"""Starts a command on the board and follows it to its end."""

from __future__ import annotations

import os
import secrets
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from edgeseg.runtime.remote.address import RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from edgeseg.devices.types import Json
    from edgeseg.runtime.remote.link import Link
    from edgeseg.runtime.remote.session import Session
    from edgeseg.runtime.remote.terminal import ByteOutput

GRACE_S = 60.0  # a run goes on so long without a connection: longer than all attempts
_PASSED_ON = ("EDGESEG_TOKEN", "EDGESEG_VIEW_TOKEN")  # variables that a command reads
_CODE = "from edgeseg.runtime.cli import main; main(prog_name='edgeseg')"


def start(
    session: Session,
    python: str,
    arguments: list[str],
    *,
    grace_s: float | None = GRACE_S,
    record: Json | None = None,
) -> str:
    """Start an edgeseg command on the board; return the name of its run.

    Parameters
    ----------
    session : Session
        The board.
    python : str
        The environment's Python there.
    arguments : list of str
        Of ``edgeseg``; no shell sees them.
    grace_s : float or None
        Seconds that the command goes on when nobody follows it; None: it is detached.
    record : dict or None
        What is to be known of it later.
    """
    answer = session.ask(
        "start",
        token=secrets.token_hex(4),
        # no packages of the user's, nothing from the current folder; no buffering
        argv=[python, "-I", "-u", "-X", "utf8", "-c", _CODE, *arguments],
        environment={key: os.environ[key] for key in _PASSED_ON if key in os.environ},
        record={"arguments": arguments, **(record or {})},
        grace_s=grace_s,
    )
    return str(answer["run"])


class Follower:
    """Shows what a run prints until it ends; Ctrl-C ends it there.

    Parameters
    ----------
    session : Session
        The board.
    run : str
        Name of the run.
    outputs : dict
        File of the run (``out``, ``err``, ``log``): where it goes here.
    offsets : dict or None
        How much of each to leave out.
    """

    def __init__(
        self,
        session: Session,
        run: str,
        outputs: dict[str, ByteOutput],
        offsets: dict[str, int] | None = None,
    ) -> None:
        self._session = session
        self._run = run
        self._outputs = outputs
        self._offsets = {name: 0 for name in outputs} | (offsets or {})
        self._asked = 0  # how often the user asked to end it
        self._following: Link | None = None

    def follow(self) -> int:
        """Follow the run to its end and return its exit code.

        Raises
        ------
        RemoteError
            It did not end by itself.
        """
        try:
            with _interrupts(self._interrupt):
                record = self._session.persist(self._attempt)
        except RemoteError:
            raise
        except (OSError, KeyboardInterrupt):  # nobody reads its output any more
            self._session.close()
            self._session.ask("end", run=self._run)
            raise
        if "exit" not in record:
            raise RemoteError(
                f"{self._session.address.host}: the run {self._run} was killed there, "
                "or the board has restarted"
            )
        code = int(record["exit"])
        return code if code >= 0 else 128 - code

    def watch(self) -> None:
        """Follow the run, which goes on when this is interrupted."""
        self._session.persist(self._attempt)

    def _attempt(self, link: Link) -> Json:
        link.ask("follow", run=self._run, offsets=self._offsets)
        self._following = link
        try:
            if self._asked:  # while there was no connection
                self._send_stop()
            return self._listen(link)
        finally:
            self._following = None

    def _listen(self, link: Link) -> Json:
        while True:
            request = {"run": self._run, "offsets": self._offsets}
            answer = link.receive("piece", "end", request=request)
            if "file" not in answer:
                return answer
            output = self._outputs[answer["file"]]
            output.write(link.read(answer["payload"]))
            output.flush()
            self._offsets[answer["file"]] += answer["payload"]
            self._session.moved()

    def _interrupt(self) -> None:
        self._asked += 1
        if self._asked > 2:
            raise KeyboardInterrupt
        if self._following is not None:
            self._send_stop()

    def _send_stop(self) -> None:
        """Ask the board to end the run: in order, the second time at once."""
        if self._following is not None:
            # the one that listens meets the same error
            with suppress(RemoteError):
                self._following.send("stop", run=self._run, hard=self._asked > 1)


@contextmanager
def _interrupts(take: Callable[[], None]) -> Iterator[None]:
    """Call `take` on SIGINT and SIGTERM, in the midst of what is waited for."""

    def handle(number: int, frame: FrameType | None) -> None:
        take()

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
