"""What an archive is asked for, and what there is to do of it."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import encodable
from edgeseg.runtime.archive.areas_table import FOLDER, AreasTable
from edgeseg.runtime.archive.listing import chosen, items_of
from edgeseg.runtime.archive.output_folder import MASKS, OVERLAYS
from edgeseg.runtime.archive.remote_files import is_url
from edgeseg.runtime.capture.open import Inputs
from edgeseg.runtime.output.apart import check_outputs
from edgeseg.runtime.output.open import find_sink

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edgeseg.runtime.archive.work import Item, Sample
    from edgeseg.runtime.model.overrides import Overrides


@dataclass(frozen=True)
class ArchiveRequest:
    """What is asked for.

    Parameters
    ----------
    model : Path
        The model file.
    sources : tuple of str
        See `items_of`.
    output : Path
        The folder for results.
    device, threads, overrides
        See `Segmenter.open`; threads are an actor's.
    overlays : bool
        Whether overlays are written too.
    limit, sample
        See `chosen`.
    actors : int or None
        At most so many; None takes as many as there are cores for.
    address : str or None
        Of the cluster; see `connected`.
    """

    model: Path
    sources: tuple[str, ...]
    output: Path
    device: str = "auto"
    threads: int | None = None
    overrides: Overrides | None = None
    overlays: bool = False
    limit: int | None = None
    sample: int | float | None = None
    actors: int | None = None
    address: str | None = None


@dataclass(frozen=True)
class Plan:
    """What there is to do.

    Parameters
    ----------
    items : list of Item
        What is left; taken from while it is done.
    sample : Sample
        Of the frames of videos.
    pictures, videos : int
        Of all, those done before among them.
    pictures_left, videos_left : int
        Of those, what is left; all videos, as nobody knows where they end.
    before : int
        Pictures and frames that have a row already.
    """

    items: list[Item]
    sample: Sample
    pictures: int
    videos: int
    pictures_left: int
    videos_left: int
    before: int


def plan_archive(request: ArchiveRequest) -> Plan:
    """Return what there is to do; nothing is written.

    Raises
    ------
    InputError
        A source cannot be read or holds nothing, the output would be read, or has
        the results of other files under the same names.
    """
    items = items_of(request.sources)
    _check_apart(request, items)
    taken, sample = chosen(items, limit=request.limit, sample=request.sample)
    done = AreasTable(request.output / FOLDER).sources()
    _check_same_files(request.output, done, taken)
    left = [item for item in taken if item.is_video or item.name not in done]
    begun = _frames_done(done, [item for item in left if item.is_video])
    left = [dataclasses.replace(i, first=begun.get(i.name, i.first)) for i in left]
    videos = sum(item.is_video for item in taken)
    return Plan(
        left,
        sample,
        pictures=len(taken) - videos,
        videos=videos,
        pictures_left=len(left) - videos,
        videos_left=videos,
        before=len(done),
    )


def _check_same_files(
    output: Path, done: Mapping[str, str], items: Iterable[Item]
) -> None:
    """Refuse names that stand for other files than they did: they would be left out."""
    for item in items:
        name = f"{item.name}_000000" if item.is_video else item.name
        before = done.get(name)
        if before is not None and _absolute(before) != _absolute(item.place):
            raise InputError(
                f"{output} has the results of other files: {item.name} was made of "
                f"{before}, and would be left out for {item.place}; name another folder"
            )


def _absolute(place: str) -> str:
    return place if is_url(place) else os.path.abspath(encodable(place))


def _frames_done(done: Iterable[str], videos: Sequence[Item]) -> dict[str, int]:
    """Return the first frame of each video that is not done.

    Frames are done in order, so that none is missing before the last.
    """
    names = {video.name for video in videos}
    first: dict[str, int] = {}
    for name in done if names else ():
        stem, _, number = name.rpartition("_")
        if stem in names and number.isdecimal():
            first[stem] = max(first.get(stem, 0), int(number) + 1)
    return first


def _check_apart(request: ArchiveRequest, items: Sequence[Item]) -> None:
    """Refuse an output folder that is, or would change, what is read."""
    targets = [f"masks:{request.output / MASKS}"]
    if request.overlays:
        targets.append(f"overlay:{request.output / OVERLAYS}/")
    local = [item for item in items if not is_url(item.place)]
    for source in request.sources:
        place = None if is_url(source) or os.path.isfile(source) else source
        inputs = Inputs([], (), place, [request.model])
        check_outputs(map(find_sink, targets), inputs)
    inputs = Inputs([Path(i.place) for i in local], [i.name for i in local])
    check_outputs(map(find_sink, targets), inputs)
