"""A GStreamer child process as a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeseg.devices import InputError
from edgeseg.runtime.capture.feed import Connection
from edgeseg.runtime.gstreamer import GstReader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json


class GstConnection(Connection):
    """Frames of a pipeline; the parameters are those of `GstReader`."""

    def __init__(self, pipeline: str, *, name: str, **settings: Any) -> None:
        self._pipeline, self._name, self._settings = pipeline, name, settings
        self._reader: GstReader | None = None
        self._interrupted = False

    def open(self) -> None:
        """Start the child; it fails, if it does, with the first frame."""
        self._reader = GstReader(self._pipeline, name=self._name, **self._settings)
        if self._interrupted:
            self._reader.interrupt()

    def read(self) -> NDArray[np.uint8]:
        """Wait for a frame."""
        assert self._reader is not None
        frame = self._reader.read()
        if frame is None:
            raise InputError(f"{self._name}: the stream has ended")
        return frame

    def interrupt(self) -> None:
        """Make `read` end within a tenth of a second."""
        self._interrupted = True
        if self._reader is not None:
            self._reader.interrupt()

    def close(self) -> None:
        """End the child."""
        if self._reader is not None:
            self._reader.close()

    @property
    def details(self) -> Json:
        """Which library gives the frames."""
        details: Json = {"through": "GStreamer"}
        if self._reader is not None:
            details["pid"] = self._reader.pid
        return details
