"""What happens where: things followed over frames, zones, lines and their events."""

from edgeseg.runtime.zones.events import Event
from edgeseg.runtime.zones.line import Line
from edgeseg.runtime.zones.watch import Watch
from edgeseg.runtime.zones.zone import Zone

__all__ = ["Event", "Line", "Watch", "Zone"]
