"""Source, segmenter, sinks: the run of a whole stream of pictures.

Reading, inference and writing overlap: a thread takes frames from the source, the
caller's thread segments them, a third one gives the results to the sinks. Files keep
every frame. Of a live source only the newest frame waits, and none is segmented
before the sinks have room for it, so that nothing grows old on the way.
"""

from __future__ import annotations

import ctypes
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

from edgeseg.runtime.pipeline.failures import Failures, UnreadError, raise_failures
from edgeseg.runtime.pipeline.meter import Tally
from edgeseg.runtime.pipeline.options import PipelineOptions
from edgeseg.runtime.pipeline.reader import FrameReader
from edgeseg.runtime.pipeline.segmenting import Inference
from edgeseg.runtime.pipeline.selection import Selection
from edgeseg.runtime.pipeline.stopping import TICK_S, Stop
from edgeseg.runtime.pipeline.writer import ResultWriter, close_all, write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from edgeseg.runtime.capture.source import Capture, Source
    from edgeseg.runtime.output.sink import Sink
    from edgeseg.runtime.pipeline.meter import Meter
    from edgeseg.runtime.pipeline.stopping import RunControls
    from edgeseg.runtime.pipeline.turns import Turns
    from edgeseg.runtime.segmentation.segmenter import Segmentation, Segmenter
    from edgeseg.runtime.zones.watch import Watch

__all__ = ["PipelineOptions", "Stop", "Tally", "UnreadError", "run_pipeline"]


_EVERY_FRAME = PipelineOptions()


def run_pipeline(
    source: Source,
    segmenter: Segmenter,
    sinks: Sequence[Sink],
    *,
    options: PipelineOptions = _EVERY_FRAME,
    skip_existing: bool = False,
    progress: Callable[[Tally, Capture], None] | None = None,
    meter: Meter | None = None,
    stop: Stop | None = None,
    watch: Watch | None = None,
    turns: Turns | None = None,
    controls: RunControls | None = None,
) -> Tally:
    """Segment the pictures of a source and hand each to every sink.

    Everything is closed at the end, once, also after an error or an interrupt.

    Parameters
    ----------
    source : Source
        Open.
    segmenter : Segmenter
        Open.
    sinks : sequence of Sink
        Open.
    options : PipelineOptions
        Which frames, how many, and how.
    skip_existing : bool
        Leave out pictures whose results all sinks have already.
    progress : callable or None
        Called after each picture, in the thread that writes.
    meter : Meter or None
        Counts and times every frame.
    stop : Stop or None
        Ends the run when asked for; see `stopping_on_signals`.
    watch : Watch or None
        Follows things over the frames; sinks find what it says in
        `Segmentation.watched`.
    turns : Turns or None
        The segmenter is shared with other runs, which take turns at it. It is not
        closed then.
    controls : RunControls or None
        Pauses the run; that of the sinks is `Style.controls`. None: nothing pauses it,
        whatever a sink is told.

    Returns
    -------
    Tally
        What was done.

    Raises
    ------
    UnreadError
        Some of the source's pictures could not be read; the others are done first.
    InputError
        The source gave nothing.
    """
    run = _PipelineRun(
        source,
        segmenter,
        sinks,
        options,
        stop or Stop(),
        meter,
        progress,
        watch,
        turns,
        controls,
    )
    return run.to_the_end(skip_existing)


class _PipelineRun:
    """What the threads of one run share."""

    def __init__(
        self,
        source: Source,
        segmenter: Segmenter,
        sinks: Sequence[Sink],
        options: PipelineOptions,
        stop: Stop,
        meter: Meter | None,
        progress: Callable[[Tally, Capture], None] | None,
        watch: Watch | None,
        turns: Turns | None,
        controls: RunControls | None,
    ) -> None:
        self._watch, self._turns, self._controls = watch, turns, controls
        self._source = source
        self._segmenter = segmenter
        self._sinks = sinks
        self._options = options
        self._stop = stop
        self._meter = meter
        self._progress = progress
        self._failures = Failures(stop)
        self._tally = Tally()

    def to_the_end(self, skip_existing: bool) -> Tally:
        self._stop.running = True
        try:
            self._run(skip_existing)
        finally:
            self._stop.running = False
        self._failures.raise_first()
        self._tally.signal = self._stop.signal
        if not self._stop.asked:
            raise_failures(self._source, self._tally)
        return self._tally

    def _run(self, skip_existing: bool) -> None:
        """Run to the end and close everything; errors are kept, not raised."""
        skip: frozenset[str] = frozenset()
        if self._meter is not None:
            self._meter.watch(self._source, self._controls)

        def find_existing() -> None:
            nonlocal skip
            skip = _existing(self._source, self._sinks)
            self._tally.skipped = len(skip)

        if skip_existing:
            self._failures.attempt(find_existing)
        is_single = self._source.count == 1 and not self._source.live
        if is_single or self._failures:
            if not self._failures:
                self._failures.attempt(lambda: self._in_turn(skip))
            close_all(self._sinks, self._failures)
            self._failures.attempt(self._source.close)
        else:
            self._overlapped(skip)
        if self._turns is None:
            self._failures.attempt(self._segmenter.close)

    def _in_turn(self, skip: frozenset[str]) -> None:
        """Run without threads: faster for a single picture, and with less memory."""
        inference = self._inference()
        for capture in self._source.captures(skip):
            if self._stop.asked:
                return
            with self._turn():
                segmentation = inference.segment(capture, last=self._turns is None)
            give_back_memory()  # what the model had; a large photo's sinks need it
            write(self._sinks, capture, segmentation)
            self._finished(capture, segmentation)

    def _overlapped(self, skip: frozenset[str]) -> None:
        live = self._source.live
        reader = FrameReader(
            self._source,
            Selection(self._options, self._source),
            self._stop,
            self._failures,
            dropped=self._dropped,
            skip=skip,
        )
        writer = ResultWriter(
            self._sinks,
            self._stop,
            self._failures,
            live=live,
            finished=self._finished,
        )
        self._failures.attempt(lambda: self._segment_all(reader, writer))
        reader.stop()
        writer.close()
        reader.close()

    def _segment_all(self, reader: FrameReader, writer: ResultWriter) -> None:
        inference = self._inference()
        ends_s = self._deadline()
        left = self._options.frames
        while not reader.frames.ended and left != 0 and time.monotonic() < ends_s:
            if self._controls is not None and self._controls.paused:
                self._let_go(reader)
                continue
            # a frame that had to wait for the sinks would be older than the newest
            if self._source.live and not writer.results.has_room():
                continue
            if not reader.frames.has_item():
                continue
            with self._turn() as mine:
                # taken no sooner: the newest frame, not the one that began to wait
                capture = reader.frames.get(0.0) if mine else None
                if capture is None:
                    continue
                segmentation = inference.segment(capture)
            writer.results.put((capture, segmentation))
            if left is not None:
                left -= 1

    def _let_go(self, reader: FrameReader) -> None:
        """Wait a moment; what a live source gives meanwhile is of no use later."""
        if self._source.live:
            reader.frames.get()
        else:
            time.sleep(TICK_S)

    def _turn(self) -> AbstractContextManager[bool]:
        if self._turns is None:
            return nullcontext(True)
        return self._turns.turn(self._stop)

    def _inference(self) -> Inference:
        # pictures of a folder have no common time
        still = self._source.fps is None and not self._source.live
        return Inference(self._segmenter, self._options, self._watch, still=still)

    def _deadline(self) -> float:
        """Return when the clock ends the run; a recording ends by its time stamps."""
        seconds = self._options.seconds
        is_recording = self._source.fps is not None and not self._source.live
        if seconds is None or is_recording:
            return float("inf")
        return time.monotonic() + seconds

    def _finished(self, capture: Capture, segmentation: Segmentation) -> None:
        self._tally.add(segmentation)
        if self._meter is not None:
            self._meter.add(capture, segmentation)
        if self._progress is not None:
            self._progress(self._tally, capture)

    def _dropped(self, count: int) -> None:
        self._tally.dropped += count
        if self._meter is not None:
            self._meter.drop(count)


def _existing(source: Source, sinks: Sequence[Sink]) -> frozenset[str]:
    return frozenset(
        name for name in source.names() if all(sink.has(name) for sink in sinks)
    )


def give_back_memory() -> None:
    """Return what was freed, which glibc would keep for later, to the system.

    Once a block of many megabytes was freed, as a decoded photo is, glibc keeps up to
    twice its size instead of returning it (mallopt(3), ``M_TRIM_THRESHOLD``). Worth
    its millisecond before something large comes, not for every frame. With another C
    library nothing happens.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(ctypes.c_size_t(0))
