"""How far a run is, on standard error."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from edgeseg.devices._closing import Closing
from edgeseg.runtime.progress import ProgressLine

if TYPE_CHECKING:
    from edgeseg.runtime.meter import Meter
    from edgeseg.runtime.pipeline import Tally
    from edgeseg.runtime.sources import Capture, Source

# a live run goes on for days: where there is no terminal, a line in so many seconds
_QUIET_S = 600.0
# reading the meter for every frame would cost more than a look at the line is worth
_TERMINAL_S = 0.5


class RunProgress(Closing):
    """Counts pictures; of a live source it also tells rate and dropped frames.

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
        """Tell that a picture is done."""
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
