"""Source, segmenter, sinks: the run of a whole stream of pictures."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeseg.runtime.segmenter import Segmentation, Segmenter
    from edgeseg.runtime.sinks import Sink
    from edgeseg.runtime.sources import Capture, Source


@dataclass
class Tally:
    """What a run has done so far.

    Parameters
    ----------
    done, skipped : int
        Pictures segmented; pictures left out because their results were there.
    pixels : Counter of int
        Pixels of each class id, all pictures together.
    timings_ms : dict of str to list of float
        Milliseconds of each stage, one value a picture.
    """

    done: int = 0
    skipped: int = 0
    pixels: Counter[int] = field(default_factory=Counter)
    timings_ms: dict[str, list[float]] = field(default_factory=dict)

    def add(self, segmentation: Segmentation) -> None:
        """Count one picture."""
        self.done += 1
        self.pixels.update(segmentation.areas)
        for stage, spent in segmentation.timings_ms.items():
            self.timings_ms.setdefault(stage, []).append(spent)


def run_pipeline(
    source: Source,
    segmenter: Segmenter,
    sinks: Sequence[Sink],
    *,
    skip_existing: bool = False,
    progress: Callable[[Tally, Capture], None] | None = None,
) -> Tally:
    """Segment every picture of a source and hand it to every sink.

    Everything is closed at the end, also after an error or an interrupt.

    Parameters
    ----------
    source : Source
        Open.
    segmenter : Segmenter
        Open.
    sinks : sequence of Sink
        Open.
    skip_existing : bool
        Leave out pictures whose results all sinks have already.
    progress : callable or None
        Called after each picture.

    Returns
    -------
    Tally
        What was done.

    Raises
    ------
    InputError
        The source gave nothing, or some of its pictures could not be read (the
        others are done first).
    """
    tally = Tally()
    with ExitStack() as stack:
        stack.enter_context(source)
        stack.enter_context(segmenter)
        for sink in sinks:
            stack.enter_context(sink)
        skip = _existing(source, sinks) if skip_existing else frozenset()
        tally.skipped = len(skip)
        for capture in source.captures(skip):
            segmentation = segmenter.segment(capture.frame)
            for sink in sinks:
                sink.write(capture, segmentation)
            tally.add(segmentation)
            if progress is not None:
                progress(tally, capture)
    _raise_failures(source, tally)
    return tally


def _existing(source: Source, sinks: Sequence[Sink]) -> frozenset[str]:
    return frozenset(
        name for name in source.names() if all(sink.has(name) for sink in sinks)
    )


def _raise_failures(source: Source, tally: Tally) -> None:
    failures = source.failures
    if failures:
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        raise InputError(
            f"{len(failures)} of {tally.done + len(failures)} pictures could not be "
            f"read, the others are done: {failures[0]}{more}"
        )
    if not tally.done and not tally.skipped:
        raise InputError("the source gave no pictures")
