"""Zones, lines and the latest events, as the page shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.devices.types import Json
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.web.feed import PageFeed


def watched_by(feed: PageFeed) -> Json:
    """Return ``zones`` and ``lines`` of the newest frame; see `Watched.to_dict`."""
    newest = feed.newest
    watched = newest.segmentation.watched if newest is not None else None
    return watched.to_dict() if watched is not None else {"zones": {}, "lines": {}}


def watch_state(feed: PageFeed, style: Style) -> Json:
    """Return ``zones``, ``lines`` and ``events``, the newest event first.

    Parameters
    ----------
    feed : PageFeed
        Gives the newest frame and the events.
    style : Style
        Gives the zones and lines.
    """
    found = watched_by(feed)
    return {
        "zones": [
            {
                "name": zone.name,
                "points": [list(point) for point in zone.points],
                "classes": found["zones"].get(zone.name, {}),
            }
            for zone in style.zones
        ],
        "lines": [
            {
                "name": line.name,
                "points": [list(point) for point in line.points],
                "crossed": found["lines"].get(
                    line.name, dict.fromkeys(line.directions, 0)
                ),
            }
            for line in style.lines
        ],
        "events": [event.to_dict() for event in reversed(feed.events.copy())],
    }
