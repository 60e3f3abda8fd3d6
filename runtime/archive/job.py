"""A whole archive: from sources to masks and rows, on actors of Ray."""

from __future__ import annotations

import os
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from edgeseg.devices import InputError
from edgeseg.runtime.archive.actors import Actors, Lost
from edgeseg.runtime.archive.cluster import connected
from edgeseg.runtime.archive.listing import sized
from edgeseg.runtime.archive.output_folder import OutputFolder
from edgeseg.runtime.archive.plan import ArchiveRequest, Plan, plan_archive
from edgeseg.runtime.archive.segmenting import Segmenting
from edgeseg.runtime.archive.work import Batch, Done, Item, Job, Unread, batches_of
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.segmentation.segmenter import Segmenter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgeseg.devices.types import Json
    from edgeseg.runtime.archive.work import Sample
    from edgeseg.runtime.model.manifest import Manifest
    from edgeseg.runtime.pipeline.stopping import Stop

_DEATHS = 3  # that a picture alone may cost before it is given up


@dataclass
class Archived:
    """What has been done so far.

    Attributes
    ----------
    plan : Plan
        What there was to do.
    done : int
        Pictures and frames, without those done before.
    areas : Counter
        Pixels of each class id.
    unread : list of Unread
        What could not be read.
    deaths : int
        Processes that died.
    actors : int
        At work now.
    seconds : float
        Since the first batch was given out.
    """

    plan: Plan
    done: int = 0
    areas: Counter[int] = field(default_factory=Counter)
    unread: list[Unread] = field(default_factory=list)
    deaths: int = 0
    actors: int = 0
    seconds: float = 0.0
    signal: int | None = None


def archive(
    request: ArchiveRequest,
    *,
    stop: Stop,
    progress: Callable[[Archived], None] | None = None,
) -> Archived:
    """Do what is asked for, or what an earlier run has left of it.

    Parameters
    ----------
    request : ArchiveRequest
        What is asked for.
    stop : Stop
        Ends it in order: what is done stays, and the next run goes on.
    progress : callable or None
        Called about twice a second.

    Returns
    -------
    Archived
        What was done, unreadable pictures among it.

    Raises
    ------
    EdgesegError
        It cannot be done.
    """
    with Segmenter.open(
        request.model, device=request.device, overrides=request.overrides
    ) as segmenter:
        manifest = segmenter.manifest
    plan = plan_archive(request)
    with ExitStack() as stack:
        identity = _identity(request, manifest)
        output = stack.enter_context(OutputFolder(request.output, identity))
        archived = Archived(plan)
        if plan.items:
            ray = stack.enter_context(connected(request.address))
            job = _job(request, manifest, output.key, plan.sample)
            actors: Actors[Batch] = Actors(
                ray, Segmenting, (job,), threads=request.threads, most=request.actors
            )
            stack.callback(actors.close)
            # what is done counts, however it ends
            stack.callback(output.areas.write)
            _run(actors, output, archived, stop, progress)
        output.areas.write()
        if archived.deaths or plan.before:
            output.clean()
        if not stop.asked:
            output.write_unread(archived.unread)
        archived.signal = stop.signal
    return archived


def _run(
    actors: Actors[Batch],
    output: OutputFolder,
    archived: Archived,
    stop: Stop,
    progress: Callable[[Archived], None] | None,
) -> None:
    start_s = time.monotonic()
    batches = batches_of(sized(_taken_from(archived.plan.items)))
    for each in actors.results(batches, stop):
        if each is not None:
            batch, result = each
            if isinstance(result, Lost):
                archived.deaths += 1
                _lost(batch, result.reason, actors, archived)
            else:
                done = cast("Done", result)
                output.areas.add(done.rows)
                _count(done, archived)
                if done.rest is not None:
                    actors.again(Batch((done.rest,)))
        archived.actors = actors.open
        archived.seconds = time.monotonic() - start_s
        if progress is not None:
            progress(archived)


def _taken_from(items: list[Item]) -> Iterator[Item]:
    """Yield items in their order, each forgotten when it is taken."""
    items.reverse()
    while items:
        yield items.pop()


def _count(done: Done, archived: Archived) -> None:
    archived.done += len(done.rows)
    archived.unread += done.unread
    for row in done.rows:
        for entry in row["classes"]:
            archived.areas[entry["id"]] += entry["area"]


def _lost(batch: Batch, reason: str, actors: Actors[Batch], archived: Archived) -> None:
    """Give a batch out again, a picture at a time where it has cost two processes."""
    deaths = batch.deaths + 1
    if deaths < _DEATHS:
        alone = deaths > 1 and len(batch.items) > 1
        parts = [(item,) for item in batch.items] if alone else [batch.items]
        for part in parts:
            actors.again(Batch(part, 1 if alone else deaths))
        return
    for item in batch.items:
        text = f"{_DEATHS} processes that read it died: {reason}"
        archived.unread.append(Unread(item.name, item.place, text))


def _identity(request: ArchiveRequest, manifest: Manifest) -> Json:
    return {
        "archive": "edgeseg",
        "model": request.model.name,
        "model_sha256": sha256(request.model),
        "manifest": manifest.to_dict(),
        "device": request.device,
        "overlays": request.overlays,
    }


def _job(request: ArchiveRequest, manifest: Manifest, key: str, sample: Sample) -> Job:
    overrides = request.overrides
    return Job(
        model=request.model.read_bytes(),
        model_name=request.model.name,
        manifest=manifest,
        output=str(request.output.absolute()),
        key=key,
        folder=os.getcwd(),
        device=request.device,
        threads=request.threads or 1,
        output_name=None if overrides is None else overrides.output_name,
        overlays=request.overlays,
        sample=sample,
    )


def unread_error(archived: Archived) -> InputError | None:
    """Return what a run ends with where not everything could be read."""
    unread = archived.unread
    if not unread:
        return None
    total = archived.done + len(unread)
    summary = f"{len(unread)} of {total} could not be read, the others are done"
    if len(unread) == 1:
        summary += f": {unread[0].source}: {unread[0].reason}"
    return InputError(summary)
