"""One JSON object a picture and line: ``out.jsonl``, or ``-`` for standard output."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError
from edgeseg.devices.plain_text import encodable
from edgeseg.runtime.address import STDOUT, AddressKind, Rest
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.output.line_file import LineFile
from edgeseg.runtime.output.sink import Sink
from edgeseg.runtime.segmentation.mask_shapes import polygons, run_lengths

if TYPE_CHECKING:
    from edgeseg.devices.types import Json
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.segmentation.segmenter import Segmentation
    from edgeseg.runtime.zones.tracking import Track


class JsonLinesSink(Sink):
    r"""Writes name, times, size and the classes found with areas and centroids.

    Each line is written whole and at once, so that the file can be followed and
    nothing is lost when a run is stopped. The file is there from the first line on: a
    run that does not come so far leaves what was there before. Lines are ASCII; of a
    name that is no UTF-8 each such byte is written as ``\xNN``.

    Parameters
    ----------
    text : str
        File name, or ``-``.
    style : Style
        Labels, and whether polygons or run lengths are written.
    """

    def __init__(self, text: str, style: Style) -> None:
        self._style = style
        self._path = Path(text)
        self._seen: frozenset[str] = frozenset()
        if text != STDOUT and style.resume and self._path.is_file():
            self._seen = _names_in(self._path)
        self._lines = LineFile(self._path, append=bool(self._seen))

    def has(self, name: str) -> bool:
        """Return whether the picture has a line already."""
        return encodable(name) in self._seen

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Write one line."""
        ids = segmentation.ids
        age_s = time.monotonic() - capture.captured_s
        record: Json = {
            "name": capture.name,
            "time_s": round(capture.time_s, 6),
            "captured": _clock_time(time.time() - age_s),
            "age_ms": round(1000 * age_s, 3),
            "height": ids.shape[0],
            "width": ids.shape[1],
            "timings_ms": {k: round(v, 3) for k, v in segmentation.timings_ms.items()},
            "classes": [self._class(segmentation, i) for i in segmentation.areas],
        }
        watched = segmentation.watched
        if watched is not None:
            record["things"] = [self._thing(track) for track in watched.things]
            record |= watched.to_dict()
        self._lines.write(json_text(record) + "\n")

    def _thing(self, track: Track) -> Json:
        blob = track.blob
        return {
            "id": track.id,
            "label": self._style.manifest.label(blob.class_id),
            "area": blob.area,
            "box": list(blob.box),
            "centroid": [round(value, 1) for value in blob.centroid],
            "age_s": round(track.age_s, 3),
        }

    def _class(self, segmentation: Segmentation, class_id: int) -> Json:
        area = segmentation.areas[class_id]
        x, y = segmentation.centroids[class_id]
        entry: Json = {
            "id": class_id,
            "label": self._style.manifest.label(class_id),
            "area": area,
            "share": round(area / segmentation.ids.size, 6),
            "centroid": [round(x, 2), round(y, 2)],
        }
        if self._style.shapes == "polygons":
            entry["polygons"] = polygons(segmentation.ids == class_id)
        elif self._style.shapes == "rle":
            entry["rle"] = run_lengths(segmentation.ids == class_id)
        return entry

    def check(self) -> None:
        """Raise `OutputError` if the file was removed."""
        self._lines.check()

    def close(self) -> None:
        """Close the file."""
        self._lines.close()


def _clock_time(seconds: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC, whole milliseconds."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="milliseconds")


def _names_in(path: Path) -> frozenset[str]:
    """Return the names in a file, after cutting off a half-written last line."""
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) != len(content):
        os.truncate(path, len(whole))
    try:
        return frozenset(
            encodable(json.loads(line)["name"]) for line in whole.splitlines()
        )
    except (ValueError, KeyError, TypeError) as error:
        raise OutputError(
            f"cannot add to {path}: expected JSON lines with a 'name', written by an "
            "earlier run; choose another file"
        ) from error


ADDRESS = AddressKind(Rest.FILE, bare=(".jsonl", ".ndjson", STDOUT))
PLUGIN = JsonLinesSink
