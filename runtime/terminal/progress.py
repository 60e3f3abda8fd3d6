"""Progress of long work, on standard error."""

from __future__ import annotations

import shutil
import sys
import time
from collections import deque
from typing import TYPE_CHECKING

import click

from edgeseg.devices.base import Closing
from edgeseg.devices.plain_text import plain

if TYPE_CHECKING:
    from edgeseg.runtime.capture.source import Capture, Source
    from edgeseg.runtime.pipeline.meter import Meter
    from edgeseg.runtime.pipeline.run import Tally


_EVERY = 100  # steps between lines where there is no terminal


class OverwrittenLine:
    """A line that a terminal shows in place of the one before; elsewhere a line more.

    How often to write where there is no terminal is left to the caller.
    """

    def __init__(self) -> None:
        self.is_terminal = sys.stderr.isatty()

    def write(self, text: str) -> None:
        """Show a text."""
        text = plain(text)
        if self.is_terminal:
            # a longer text takes two lines, of which only one can be written over
            text = text[: max(shutil.get_terminal_size().columns - 1, 1)]
            click.echo(f"\r\x1b[K{text}", nl=False, err=True)
        else:
            click.echo(text, err=True)

    def end(self) -> None:
        """Remove the line."""
        if self.is_terminal:
            click.echo("\r\x1b[K", nl=False, err=True)


class ProgressLine:
    """Steps that are done: a line on a terminal, one now and then elsewhere.

    Parameters
    ----------
    total : int or None
        Steps in all, where that is known.
    unit : int
        Show so many steps as one, and only when that number changes.
    """

    def __init__(self, total: int | None, *, unit: int = 1) -> None:
        self._of = f"/{total // unit}" if total and total >= unit else ""
        self._unit = unit
        self._shown = 0
        self._line = OverwrittenLine()

    def show(self, done: int, text: str = "pictures") -> None:
        """Show how many steps are done."""
        done //= self._unit
        if self._unit > 1 and done == self._shown:
            return
        self._shown = done
        if self._line.is_terminal or done % _EVERY == 0:
            self._line.write(f"{done}{self._of} {text}")

    def end(self) -> None:
        """Remove the line."""
        self._line.end()


class TimedLines:
    """Lines that stay, each with the time since the first step.

    Parameters
    ----------
    minutes : bool
        Show minutes instead of seconds.
    """

    def __init__(self, *, minutes: bool = False) -> None:
        self._minutes = minutes
        self._start = time.monotonic()

    def __call__(self, line: str) -> None:
        """Show a line."""
        passed_s = time.monotonic() - self._start
        passed = f"{passed_s / 60:6.1f} min" if self._minutes else f"{passed_s:5.1f} s"
        click.echo(f"[{passed}] {line}", err=True)


class RateLine:
    """What is done, how fast, and how long the rest takes; a line on a terminal.

    Elsewhere it is a line a minute.
    """

    def __init__(self) -> None:
        self._line = OverwrittenLine()
        # where there is no terminal, nothing is said of what is soon done
        self._shown_s = float("-inf") if self._line.is_terminal else time.monotonic()
        self._seen: deque[tuple[float, int]] = deque()

    def show(self, done: int, total: int | None, what: str, more: str) -> None:
        """Show a line, if it is time for one.

        Parameters
        ----------
        done : int
            Steps.
        total : int or None
            Steps in all, where that is known.
        what, more : str
            What a step is, and what else there is to say.
        """
        now = time.monotonic()
        if now - self._shown_s < (_TERMINAL_S if self._line.is_terminal else _LINE_S):
            return
        self._shown_s = now
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > _RATE_S:
            self._seen.popleft()
        of = "" if total is None else f"/{total}"
        self._line.write(f"{done}{of} {what}{self._pace(total)}, {more}")

    def _pace(self, total: int | None) -> str:
        (first_s, first), (last_s, last) = self._seen[0], self._seen[-1]
        if last == first:
            return ""
        rate = (last - first) / (last_s - first_s)
        left = "" if total is None else f", {_duration((total - last) / rate)} left"
        return f", {rate:.1f} a second{left}"

    def end(self) -> None:
        """Remove the line."""
        self._line.end()


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


# a live run goes on for days: where there is no terminal, a line in so many seconds
_QUIET_S = 600.0
# reading the meter for every frame would cost more than a look at the line is worth
_TERMINAL_S = 0.5
_LINE_S = 60.0
_RATE_S = 120.0  # over which a rate is taken


class RunProgress(Closing):
    """Counts pictures; of a live source it also shows rate and dropped frames.

    Parameters
    ----------
    source : Source
        Open.
    meter : Meter
        Of the run.
    """

    def __init__(self, source: Source, meter: Meter) -> None:
        self._line = ProgressLine(source.count)
        self._meter = meter
        self._is_live = source.live
        self._is_terminal = sys.stderr.isatty()
        self._shown_s = time.monotonic()

    def show(self, tally: Tally, capture: Capture) -> None:
        """Count a picture that is done."""
        if not self._is_live:
            self._line.show(tally.done, capture.name)
            return
        now = time.monotonic()
        if now - self._shown_s < (_TERMINAL_S if self._is_terminal else _QUIET_S):
            return
        self._shown_s = now
        readings = self._meter.read()
        rate = "-" if readings.fps is None else f"{readings.fps:.1f}"
        text = f"frames, {rate} a second, {readings.dropped} dropped"
        if self._is_terminal:
            self._line.show(tally.done, text)
        else:
            click.echo(f"{tally.done} {text}", err=True)

    def close(self) -> None:
        """Remove the line."""
        self._line.end()
