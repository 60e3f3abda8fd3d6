"""From a segmentation to things, zones, lines and events."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.model.labels import background_ids, ids_of
from edgeseg.runtime.segmentation.blobs import area_in_pixels, find_blobs, sampled
from edgeseg.runtime.zones.events import Event, Watched
from edgeseg.runtime.zones.line import Crossings
from edgeseg.runtime.zones.polygon import in_pixels
from edgeseg.runtime.zones.tracking import Tracker
from edgeseg.runtime.zones.zone_state import ZoneState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.model.manifest import Manifest
    from edgeseg.runtime.segmentation.segmenter import Segmentation
    from edgeseg.runtime.zones.events import ClassInZone
    from edgeseg.runtime.zones.line import Line
    from edgeseg.runtime.zones.tracking import Track
    from edgeseg.runtime.zones.zone import Zone

# Rows that are looked at: finer than the grid of most networks, and a class takes
# 30 microseconds at 160x120 where it takes 400 at 640x480
_ROWS = 120


class Watch:
    """Follows things over frames and says what happens in zones and on lines.

    It is given the frames of one run in order.

    Parameters
    ----------
    manifest : Manifest
        Gives the class names.
    zones : sequence of Zone
        Where is looked.
    lines : sequence of Line
        What is counted that crosses them.
    classes : sequence of str
        Classes that count where a zone or line names none; empty for all but
        background.
    lost_s : float
        Seconds for which a thing that is not seen is remembered.

    Raises
    ------
    InputError
        A class is unknown, or a name is used twice.

    Examples
    --------
    >>> import numpy as np
    >>> from edgeseg.runtime import Manifest, Segmentation, Watch, Zone
    >>> watch = Watch(
    ...     Manifest(labels=("background", "person")),
    ...     [Zone("door", ((0, 0), (0.5, 0), (0.5, 1), (0, 1)), enter_s=0)],
    ... )
    >>> ids = np.zeros((240, 320), np.uint8)
    >>> ids[100:200, 40:80] = 1
    >>> seen = watch.update(Segmentation(ids, (), {}), time_s=0.0)
    >>> [(event.kind, event.place, event.label) for event in seen.events]
    [('enter', 'door', 'person'), ('count', 'door', 'person')]
    >>> seen.things[0].blob.box
    (40, 100, 40, 100)
    """

    def __init__(
        self,
        manifest: Manifest,
        zones: Sequence[Zone] = (),
        lines: Sequence[Line] = (),
        *,
        classes: Sequence[str] = (),
        lost_s: float = 1.0,
    ) -> None:
        self.zones, self.lines = tuple(zones), tuple(lines)
        _check_names((*self.zones, *self.lines))
        self._manifest = manifest
        usual = _ids(classes, manifest)
        self._zones = [
            ZoneState(zone, _class_ids("zone", zone, usual, manifest))
            for zone in self.zones
        ]
        self._lines = [
            (line, _class_ids("line", line, usual, manifest)) for line in self.lines
        ]
        wanted = [
            *(zone.presences for zone in self._zones),
            *(i for _, i in self._lines),
        ]
        self._followed = tuple(dict.fromkeys(i for ids in wanted for i in ids)) or usual
        self._tracker = Tracker(lost_s)
        self._crossings: list[Crossings] = []
        self._frame_hw: tuple[int, int] | None = None
        self._step = 1

    def update(
        self,
        segmentation: Segmentation,
        time_s: float | None,
        *,
        clock_s: float | None = None,
    ) -> Watched:
        """Take the classes of a frame.

        Parameters
        ----------
        segmentation : Segmentation
            Of the frame.
        time_s : float or None
            When it was captured, on the frames' clock. None: it is a picture of its
            own; shares and counts are those of this picture, and nothing happens.
        clock_s : float or None
            The same in seconds since 1970, for events; None takes the present.

        Raises
        ------
        InputError
            A zone or line is not within the frame.
        """
        ids = segmentation.ids
        self._fit((ids.shape[0], ids.shape[1]))
        grid = sampled(ids, self._step)
        blobs = find_blobs(
            ids, self._followed, min_area=self._least(ids.shape), step=self._step
        )
        tracker = Tracker() if time_s is None else self._tracker
        tracks = tracker.update(blobs, time_s or 0.0)
        shares = [zone.shares(grid) for zone in self._zones]
        if time_s is None:
            return Watched((), self._at_once(tracks, shares))
        clock_s = time.time() if clock_s is None else clock_s
        events = [
            *self._in_zones(tracks, shares, time_s, clock_s),
            *self._on_lines(tracks, time_s, clock_s),
        ]
        zones = {
            state.zone.name: state.readings(share, self._manifest.label)
            for state, share in zip(self._zones, shares, strict=True)
        }
        lines = {
            line.name: dict(crossings.counts)
            for (line, _), crossings in zip(self._lines, self._crossings, strict=True)
        }
        return Watched(tuple(tracks), zones, lines, tuple(events))

    def attach(
        self, capture: Capture, segmentation: Segmentation, *, still: bool = False
    ) -> Segmentation:
        """Return a segmentation with what is found in it; see `update`.

        Parameters
        ----------
        capture : Capture
            Gives the times.
        segmentation : Segmentation
            Of that capture.
        still : bool
            The pictures have no common time.
        """
        began = time.perf_counter()
        clock_s = time.time() - (time.monotonic() - capture.captured_s)
        time_s = None if still else capture.time_s
        watched = self.update(segmentation, time_s, clock_s=clock_s)
        spent = {"zones": 1000 * (time.perf_counter() - began)}
        timings = {**segmentation.timings_ms, **spent}
        return replace(segmentation, watched=watched, timings_ms=timings)

    def _fit(self, frame_hw: tuple[int, int]) -> None:
        """Lay zones and lines over a frame of this size."""
        if frame_hw == self._frame_hw:
            return
        self._step = max(1, min(frame_hw) // _ROWS)
        for state in self._zones:
            state.fit(frame_hw, self._step)
        crossings = []
        for line, _ in self._lines:
            first, second = in_pixels(f"line {line.name}", line.points, frame_hw)
            crossings.append(Crossings(line, (first, second), frame_hw))
        for new, old in zip(crossings, self._crossings, strict=False):
            new.counts.update(old.counts)
        self._crossings, self._frame_hw = crossings, frame_hw

    def _least(self, shape: tuple[int, ...]) -> float:
        areas = [*(z.min_area for z in self.zones), *(n.min_area for n in self.lines)]
        return max(1, min((area_in_pixels(area, shape) for area in areas), default=1))

    def _in_zones(
        self,
        tracks: Sequence[Track],
        shares: Sequence[dict[int, float]],
        time_s: float,
        clock_s: float,
    ) -> Iterator[Event]:
        for state, share in zip(self._zones, shares, strict=True):
            for class_id, presence in state.presences.items():
                inside = state.inside(tracks, class_id)
                part = share.get(class_id, 0.0)
                for change in presence.update(inside, part, time_s):
                    yield Event(
                        change.kind,
                        state.zone.name,
                        class_id,
                        self._manifest.label(class_id),
                        time_s,
                        change.since_s,
                        clock_s,
                        count=presence.count,
                        share=part,
                        seconds=change.seconds,
                        thing=change.thing,
                    )

    def _on_lines(
        self, tracks: Sequence[Track], time_s: float, clock_s: float
    ) -> Iterator[Event]:
        alive = self._tracker.alive
        for (line, ids), crossings in zip(self._lines, self._crossings, strict=True):
            least = area_in_pixels(line.min_area, self._frame_hw or (0, 0))
            seen = [
                t for t in tracks if t.blob.class_id in ids and t.blob.area >= least
            ]
            for track, direction in crossings.update(seen):
                class_id = track.blob.class_id
                yield Event(
                    "cross",
                    line.name,
                    class_id,
                    self._manifest.label(class_id),
                    time_s,
                    time_s,
                    clock_s,
                    count=crossings.counts[direction],
                    thing=track.id,
                    direction=direction,
                )
            crossings.forget(alive)

    def _at_once(
        self, tracks: Sequence[Track], shares: Sequence[dict[int, float]]
    ) -> dict[str, dict[str, ClassInZone]]:
        """Return what is in the zones of a picture that stands alone."""
        label = self._manifest.label
        return {
            state.zone.name: state.at_once(tracks, share, label)
            for state, share in zip(self._zones, shares, strict=True)
        }


def _class_ids(
    kind: str, place: Zone | Line, usual: tuple[int, ...], manifest: Manifest
) -> tuple[int, ...]:
    """Return the classes that count in a zone or on a line."""
    if not place.classes:
        return usual
    try:
        return _ids(place.classes, manifest)
    except InputError as error:
        raise InputError(f"{kind} {place.name}: {error}") from error


def _ids(names: Sequence[str], manifest: Manifest) -> tuple[int, ...]:
    """Return the class ids of names; without names, all but background."""
    labels = manifest.labels
    if names:
        return tuple(dict.fromkeys(i for name in names for i in ids_of(name, labels)))
    behind = background_ids(labels)
    return tuple(i for i in range(len(labels) or 256) if i not in behind)


def _check_names(places: Sequence[Zone | Line]) -> None:
    names = [place.name for place in places]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"zones and lines: expected a name of its own for each, got {name!r} "
                "more often"
            )
