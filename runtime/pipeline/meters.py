"""The readings of several cameras as those of one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.runtime.pipeline.meter import Readings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.devices.types import Json
    from edgeseg.runtime.pipeline.meter import Meter


@dataclass(frozen=True)
class FailedSource:
    """What a meter watches once a run has ended with an error.

    Parameters
    ----------
    error : str
        Why it has ended.
    """

    error: str

    @property
    def state(self) -> Json:
        """See `Source.state`."""
        return {"connected": False, "reconnects": 0, "error": f"failed: {self.error}"}


class Meters:
    """Sums over several meters, for who looks at a process as a whole.

    Parameters
    ----------
    meters : mapping of str to Meter
        By the camera's name.
    """

    def __init__(self, meters: Mapping[str, Meter]) -> None:
        self._meters = dict(meters)

    def read(self) -> Readings:
        """Return frames, dropped frames and rates together, and each camera's errors.

        The source counts as connected while all cameras are, as away while all are, and
        as paused while all are; of times since the last frame, the shortest counts.
        """
        each = {name: meter.read() for name, meter in self._meters.items()}
        rates = [r.fps for r in each.values() if r.fps is not None]
        since = [r.last_frame_s for r in each.values() if r.last_frame_s is not None]
        tries = [r.tries for r in each.values()]
        errors = [f"{n}: {r.error}" for n, r in each.items() if r.error is not None]
        return Readings(
            frames=sum(r.frames for r in each.values()),
            dropped=sum(r.dropped for r in each.values()),
            fps=sum(rates) if rates else None,
            uptime_s=max((r.uptime_s for r in each.values()), default=0.0),
            last_frame_s=min(since, default=None),
            connected=all(r.connected for r in each.values()),
            reconnects=sum(r.reconnects for r in each.values()),
            error="; ".join(errors) or None,
            tries=None if None in tries else sum(t for t in tries if t is not None),
            outputs={
                f"{name}: {output}": state
                for name, readings in each.items()
                for output, state in readings.outputs.items()
            },
            paused=bool(each) and all(r.paused for r in each.values()),
        )
