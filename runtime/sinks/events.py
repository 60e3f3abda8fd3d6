"""One JSON object an event and line: ``events:FILE.jsonl``, or ``events:-``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.output.event_queue import check_watching
from edgeseg.runtime.output.line_file import LineFile
from edgeseg.runtime.output.sink import Sink

if TYPE_CHECKING:
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.segmentation.segmenter import Segmentation


class EventsSink(Sink):
    """Adds what happens in zones and on lines to a file, which later runs go on with.

    Parameters
    ----------
    text : str
        File name, or ``-`` for standard output.
    style : Style
        Has the zones and lines.

    Raises
    ------
    InputError
        There are no zones and lines.
    """

    def __init__(self, text: str, style: Style) -> None:
        check_watching("events", style)
        path = Path(text)
        self._lines = LineFile(path, append=path.is_file())

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Write a line for each of the frame's events."""
        for event in segmentation.events:
            self._lines.write(json_text(event.to_dict()) + "\n")

    def check(self) -> None:
        """Raise `OutputError` if the file was removed."""
        self._lines.check()

    def close(self) -> None:
        """Close the file."""
        self._lines.close()


ADDRESS = AddressKind(Rest.FILE)
PLUGIN = EventsSink
