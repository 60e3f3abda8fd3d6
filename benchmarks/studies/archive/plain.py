"""What an actor does, in this process and without Ray: what others are held against."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edgeseg.runtime.archive.listing import items_of
from edgeseg.runtime.archive.output_folder import OutputFolder
from edgeseg.runtime.archive.segmenting import Segmenting
from edgeseg.runtime.archive.work import Batch, Job
from edgeseg.runtime.segmentation.segmenter import Segmenter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PICTURES = 48


@contextmanager
def plain_worker(model: Path, out: Path) -> Iterator[tuple[Segmenting, OutputFolder]]:
    """Yield a worker of one thread, and the folder that it writes."""
    with Segmenter.open(model) as opened:
        manifest = opened.manifest
    with OutputFolder(out, {}) as output:
        job = Job(model.read_bytes(), model.name, manifest, str(out), output.key, "/")
        with Segmenting(job) as segmenting:
            yield segmenting, output


class Control:
    """The same few pictures again and again: what the machine gives at this moment.

    Where others are at work too, a picture takes longer even by the seconds of a core
    that it takes, as caches and memory are shared. This does not depend on how far an
    archive has come, so that what is held against it does.

    Parameters
    ----------
    worker : Segmenting
        See `plain_worker`.
    source : Path
        A folder of pictures, of which the first are taken.
    """

    def __init__(self, worker: Segmenting, source: Path) -> None:
        self._worker = worker
        self._batch = Batch(tuple(items_of([str(source)])[:_PICTURES]))

    def ms(self) -> tuple[float, float]:
        """Return milliseconds of a core, and on the clock, that a picture takes."""
        cpu_s, clock_s = time.process_time(), time.perf_counter()
        self._worker(self._batch)
        cpu_s, clock_s = time.process_time() - cpu_s, time.perf_counter() - clock_s
        return 1000 * cpu_s / _PICTURES, 1000 * clock_s / _PICTURES
