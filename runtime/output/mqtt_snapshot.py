"""Pictures for Home Assistant: the newest frame as it is drawn, as JPEG.

Keys are those of its documentation: "MQTT Image"
(https://www.home-assistant.io/integrations/image.mqtt/).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.output.mqtt_discovery import Topics
    from edgeseg.runtime.zones.events import Event

_QUALITY = 80  # of JPEG
_LONGEST_SIDE = 1920  # pixels; a broker keeps messages in memory
_AT_ONCE = frozenset({"enter", "cross"})  # events that are worth a picture
_LEAST_S = 1.0  # between two pictures, whatever happens


class SnapshotTimer:
    """Says when a picture is to be published.

    Parameters
    ----------
    every_s : float
        Seconds between two pictures; one of something that comes in, or crosses a
        line, is published sooner, but at least a second after the last one.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._last_s = float("-inf")

    def is_due(self, events: Sequence[Event]) -> bool:
        """Return whether this frame is to be published, and count it then."""
        now = time.monotonic()
        urgent = any(event.kind in _AT_ONCE for event in events)
        if now - self._last_s < (_LEAST_S if urgent else self._every_s):
            return False
        self._last_s = now
        return True


def snapshot_entity(topics: Topics) -> Json:
    """Return the payload of the picture's discovery topic, by that topic."""
    return {
        topics.config("image", "snapshot"): {
            "name": "Snapshot",
            "unique_id": f"{topics.node}_snapshot",
            "image_topic": topics.snapshot,
            "content_type": "image/jpeg",
        }
    }


def jpeg_of(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture as JPEG, made smaller where it is large.

    Parameters
    ----------
    picture : ndarray
        ``(H, W, 3)`` uint8 RGB.

    Raises
    ------
    OutputError
        It has a shape that JPEG cannot hold.
    """
    import cv2

    height, width = picture.shape[:2]
    scale = _LONGEST_SIDE / max(height, width)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise OutputError(
            f"mqtt: a picture of {width}x{height} pixels cannot be written as JPEG"
        )
    return encoded.tobytes()
