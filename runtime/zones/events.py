"""What a watch finds in a frame: things, zones, lines and events, and their JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.devices.types import Json
    from edgeseg.runtime.zones.tracking import Track

KINDS = ("enter", "leave", "dwell", "count", "cross")


@dataclass(frozen=True)
class Event:
    """Something that has just happened in a zone or on a line.

    Parameters
    ----------
    kind : {"enter", "leave", "dwell", "count", "cross"}
        A class has come into a zone where there was none of it; the last of it has
        left; one thing has been there for long; the number of things has changed; a
        thing has crossed a line.
    place : str
        Name of the zone or, of ``cross``, of the line.
    class_id, label : int, str
        The class.
    time_s : float
        Capture time of the frame with which it was certain.
    since_s : float
        When it began: that time without what a zone waits for. Of ``leave`` it is when
        the last thing was outside first or, if it vanished inside, seen last.
    clock_s : float
        Seconds since 1970 at `time_s`.
    count : int or None
        Things of the class in the zone after it, or that have crossed so far.
    share : float or None
        Share of the zone that the class covers.
    seconds : float or None
        How long it was there, of ``leave`` and ``dwell``.
    thing : int or None
        Number of the thing, of ``dwell`` and ``cross``.
    direction : str or None
        Of ``cross``.
    """

    kind: str
    place: str
    class_id: int
    label: str
    time_s: float
    since_s: float
    clock_s: float
    count: int | None = None
    share: float | None = None
    seconds: float | None = None
    thing: int | None = None
    direction: str | None = None

    def to_dict(self) -> Json:
        """Return JSON values."""
        moment = datetime.fromtimestamp(self.clock_s, timezone.utc)
        values: Json = {
            "event_type": self.kind,
            "line" if self.kind == "cross" else "zone": self.place,
            "class": self.label,
            "class_id": self.class_id,
            "time": moment.isoformat(timespec="milliseconds"),
            "time_s": round(self.time_s, 3),
            "since_s": round(self.since_s, 3),
        }
        more = {
            "count": self.count,
            "share": None if self.share is None else round(self.share, 4),
            "seconds": None if self.seconds is None else round(self.seconds, 3),
            "id": self.thing,
            "direction": self.direction,
        }
        return values | {key: value for key, value in more.items() if value is not None}


@dataclass(frozen=True)
class ClassInZone:
    """One class in one zone.

    Parameters
    ----------
    share : float
        Share of the zone's pixels.
    count : int
        Things that have entered and not left.
    present : bool
        Whether the class is there, by the zone's times and threshold.
    """

    share: float = 0.0
    count: int = 0
    present: bool = False

    def to_dict(self) -> Json:
        """Return JSON values."""
        share = round(self.share, 4)
        return {"share": share, "count": self.count, "present": self.present}


@dataclass(frozen=True)
class Watched:
    """What a watch found in a frame.

    Parameters
    ----------
    things : tuple of Track
        All that is seen; empty for pictures without a common time.
    zones : dict of str to dict of str to ClassInZone
        By names of zones and classes; a class that is not in the zone may be missing.
    lines : dict of str to dict of str to int
        What has crossed so far, by names of lines and directions.
    events : tuple of Event
        What has happened since the frame before.
    """

    things: tuple[Track, ...] = ()
    zones: Mapping[str, Mapping[str, ClassInZone]] = field(default_factory=dict)
    lines: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    events: tuple[Event, ...] = ()

    def to_dict(self) -> Json:
        """Return zones, lines and events as JSON values."""
        return {
            "zones": {
                zone: {label: one.to_dict() for label, one in classes.items()}
                for zone, classes in self.zones.items()
            },
            "lines": {line: dict(counts) for line, counts in self.lines.items()},
            "events": [event.to_dict() for event in self.events],
        }
