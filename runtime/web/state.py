"""What the page shows, as JSON values."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from edgeseg.runtime.drawing.open_effect import EFFECTS, effect_controls
from edgeseg.runtime.drawing.statistics_line import read_temperature_c
from edgeseg.runtime.model.labels import background_ids

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.model.manifest import Manifest
    from edgeseg.runtime.pipeline.meter import Readings
    from edgeseg.runtime.web.feed import PageFeed

VERSION = version("edgeseg")
_SOURCE = ("connected", "reconnects", "error")


def state_of(
    feed: PageFeed,
    readings: Readings,
    manifest: Manifest,
    table: NDArray[np.uint8],
    *,
    stream_limit: int,
    locked: bool,
) -> Json:
    """Return the state of a run.

    Parameters
    ----------
    feed : PageFeed
        Gives the look, the newest frame and the clients.
    readings : Readings
        What the meter shows.
    manifest : Manifest
        Gives the classes.
    table : ndarray
        ``(256, 3)`` uint8 RGB, the classes' colours.
    stream_limit : int
        Clients that may watch at once.
    locked : bool
        Effect and classes cannot be changed.
    """
    values = readings.to_dict()
    return {
        "version": VERSION,
        "source": {key: values.pop(key) for key in _SOURCE},
        "outputs": [{"name": n, **s} for n, s in values.pop("outputs").items()],
        "readings": {key: values[key] for key in values if key != "shares"},
        "temperature_c": read_temperature_c(),
        "frame": _frame(feed),
        "labels": _labels(readings, manifest, table),
        "look": feed.look.to_dict(),
        "locked": locked,
        "effects": list(EFFECTS.names()),
        "effect_controls": {name: effect_controls(name) for name in EFFECTS.names()},
        "failure": feed.failure,
        "streams": {"watching": feed.watchers, "limit": stream_limit},
    }


def _frame(feed: PageFeed) -> Json | None:
    newest = feed.newest
    if newest is None:
        return None
    height, width = newest.capture.frame.shape[:2]
    return {"name": newest.capture.name, "width": width, "height": height}


def _labels(
    readings: Readings, manifest: Manifest, table: NDArray[np.uint8]
) -> list[Json]:
    ids = sorted({*range(len(manifest.labels)), *readings.shares})
    background = background_ids(manifest.labels)
    return [
        {
            "id": class_id,
            "name": manifest.label(class_id),
            "key": manifest.label(class_id) if manifest.labels else str(class_id),
            "colour": "#" + bytes(table[class_id].tolist()).hex(),
            "share": readings.shares.get(class_id, 0.0),
            "background": class_id in background,
        }
        for class_id in ids
    ]
