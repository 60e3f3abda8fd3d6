"""The thread that gives results to the sinks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import OutputError
from edgeseg.runtime.pipeline.failures import WorkerThread
from edgeseg.runtime.pipeline.handover import Handover
from edgeseg.runtime.pipeline.stopping import TICK_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.output.sink import Sink
    from edgeseg.runtime.pipeline.failures import Failures
    from edgeseg.runtime.pipeline.stopping import Stop
    from edgeseg.runtime.segmentation.segmenter import Segmentation

# results of a file that may wait; of a live source only one: waiting is age
_WAITING = 2
# a sink that takes longer for one frame, once the run is to end, is left alone
_PATIENCE_S = 5.0


class ResultWriter:
    """Hands results to all sinks, in order, while the next frame is segmented.

    Parameters
    ----------
    sinks : sequence of Sink
        Open; closed by `close`.
    stop : Stop
        Ends the thread; results that wait are dropped.
    failures : Failures
        Gets what a sink raises.
    live : bool
        Whether the source is.
    finished : callable
        Called with each capture and segmentation that all sinks have.
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        stop: Stop,
        failures: Failures,
        *,
        live: bool,
        finished: Callable[[Capture, Segmentation], None],
    ) -> None:
        self._sinks = sinks
        self._stop = stop
        self._failures = failures
        self._finished = finished
        size = 1 if live else _WAITING
        self.results: Handover[tuple[Capture, Segmentation]] = Handover(size, stop)
        self._worker = WorkerThread("writer", self._work, failures)

    def _work(self) -> None:
        while not self.results.ended:
            for sink in self._sinks:
                sink.check()
            if any(sink.finished for sink in self._sinks):
                self._stop.ask()
            result = self.results.get()
            if result is not None:
                write(self._sinks, *result)
                self._finished(*result)

    def close(self) -> None:
        """Let the thread write what waits, unless stopped, and close the sinks."""
        self.results.end()
        while not self._worker.join(TICK_S):
            if self._stop.asked:
                break
        if self._worker.join(_PATIENCE_S):
            close_all(self._sinks, self._failures)
        else:
            self._failures.attempt(self._give_up)

    def _give_up(self) -> None:
        raise OutputError(
            f"an output has not taken a frame within {_PATIENCE_S:g} s: it is left "
            "as it is"
        )


def write(sinks: Sequence[Sink], capture: Capture, segmentation: Segmentation) -> None:
    """Give one result to every sink."""
    for sink in sinks:
        sink.write(capture, segmentation)


def close_all(sinks: Sequence[Sink], failures: Failures) -> None:
    """Close every sink, the last one first, whatever another one does."""
    for sink in reversed(sinks):
        failures.attempt(sink.close)
