"""Ending a run from outside, or changing it: flags, and the signals that set one."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from edgeseg.runtime.drawing.look import Look


# how long a thread sleeps before it looks at the flag again
TICK_S = 0.1


class Stop:
    """Whether a run is to end, and why; may be asked for from any thread.

    It is a plain attribute and no `threading.Event`: a signal's handler may run while
    its thread holds an event's lock, and would wait for itself.

    Parameters
    ----------
    whole : Stop or None
        Of the runs that this one is a part of: it ends them all, this one itself alone.
    """

    def __init__(self, whole: Stop | None = None) -> None:
        self.signal: int | None = None
        self.running = False
        self._asked = False
        self._whole = whole

    @property
    def asked(self) -> bool:
        """Whether the run is to end."""
        return self._asked or (self._whole is not None and self._whole.asked)

    def ask(self, signum: int | None = None) -> None:
        """End the run after the frame under way.

        Parameters
        ----------
        signum : int or None
            The signal that wants it.
        """
        self._asked = True
        if self.signal is None:
            self.signal = signum


class RunControls:
    """The pause and the look of a run, for any thread to change.

    Parameters
    ----------
    look : Look
        How pictures are drawn at first.

    Attributes
    ----------
    look : Look
        How pictures are drawn from now on.
    paused : bool
        Whether frames are let go unused: nothing is segmented, nothing is written.
    """

    def __init__(self, look: Look) -> None:
        self.look = look
        self.paused = False


@contextmanager
def stopping_on_signals(*, working: bool = False) -> Iterator[Stop]:
    """Yield a stop that SIGINT, SIGTERM and SIGHUP ask for.

    SIGHUP comes where the terminal or the SSH session has gone; a process that was
    started to ignore it, as by ``nohup``, goes on. The first signal lets a run end in
    order; before and after a run it raises `KeyboardInterrupt` or, for the others,
    `SystemExit` with 128 and its number, so that whatever is open is closed. A second
    one ends the process at once. In another thread than the main one no signal can be
    caught, and none is.

    Parameters
    ----------
    working : bool
        The with-block itself is the run. A second signal then raises
        `KeyboardInterrupt`, so that files are closed and locks released.
    """
    stop = Stop()
    stop.running = working
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def asked(signum: int, frame: FrameType | None) -> None:
        del frame
        if stop.signal is not None:
            if working:
                raise KeyboardInterrupt
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)
        running = stop.running
        stop.ask(signum)
        if not running:
            raise (
                KeyboardInterrupt
                if signum == signal.SIGINT
                else SystemExit(128 + signum)
            )

    wanted = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        wanted.append(signal.SIGHUP)
    before = {number: signal.signal(number, asked) for number in wanted}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
