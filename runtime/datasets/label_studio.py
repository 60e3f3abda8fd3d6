"""Label Studio's JSON export: tasks with brushes, polygons, boxes and ellipses.

The export names pictures as the server does (``/data/upload/1/1a2b3c4d-photo.jpg``) and
does not hold them: they are looked for in ``images`` and beside the JSON, with and
without the eight characters that an upload puts in front. Results are painted in the
order of the task, of its first annotation that was not cancelled. Class ids follow the
alphabet, background first.

The exports "COCO with images" and "YOLO with images" are read as COCO and YOLO.

References
----------
https://labelstud.io/guide/export
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.lists import check_unique
from edgeseg.runtime.annotations.areas import check_size, painted
from edgeseg.runtime.annotations.brushes import brush
from edgeseg.runtime.annotations.classes import Classes, named
from edgeseg.runtime.annotations.drawn import DrawnDataset
from edgeseg.runtime.annotations.entries import Entry, read_entries
from edgeseg.runtime.annotations.outlines import ellipse, filled, points_of, turned_box
from edgeseg.runtime.annotations.splits import WHOLE, choose_split, stem_of
from edgeseg.runtime.pictures.files import SUFFIXES, size_hw

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.annotations.areas import Area

_EXPORT = re.compile(r"^project-\d+-at-.*\.json$")
_UPLOAD = re.compile(r"^[0-9a-f]{8}-")
_KINDS = ("brushlabels", "polygonlabels", "rectanglelabels", "ellipselabels")


@dataclass(frozen=True)
class _Task:
    """A picture and what was drawn on it."""

    path: Path
    results: list[Entry]


class LabelStudioDataset(DrawnDataset):
    """A folder with one JSON export of Label Studio and its pictures.

    Parameters
    ----------
    root : Path
        Holds ``project-N-at-DATE.json`` and the pictures, in ``images`` or beside it.
    split : str
        Any name: an export has no splits.
    labels : str or None
        Replaces the classes' names, background first.

    Raises
    ------
    InputError
        The export is malformed, or nothing was annotated.
    """

    LAYOUT = "project-N-at-DATE.json and images/ (Label Studio JSON)"

    def __init__(self, root: Path, split: str, labels: str | None = None) -> None:
        expected = str(root / "project-N-at-DATE.json")
        self._file = choose_split(root, split, _files(root), expected)[1]
        self._tasks = _tasks(root, self._file)
        self._ids = tuple(sorted(self._tasks))
        found = {
            label
            for t in self._tasks.values()
            for r in t.results
            for label in _labels(r)
        }
        if not found:
            raise InputError(
                f"{self._file}: no areas with labels: expected {', '.join(_KINDS)}; "
                "export as JSON, not JSON-MIN"
            )
        self._classes = Classes.of(sorted(found), self._file)
        self._labels = named(self._classes.labels, labels)

    @classmethod
    def recognizes(cls, root: Path) -> bool:
        """Return whether there is an export under the name that Label Studio gives."""
        return bool(_files(root))

    @classmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        """Return ``all``."""
        return tuple(_files(root))

    def picture_path(self, name: str) -> Path:
        """Return where the picture was found."""
        return self._tasks[name].path

    def truth_path(self, name: str) -> Path:
        """Return the export, which is that of all pictures."""
        return self._file

    def draw(self, name: str) -> NDArray[np.uint8]:
        """Return a picture's class ids; see `DrawnDataset.draw`."""
        task = self._tasks[name]
        drawn = [r for r in task.results if _labels(r)]
        sizes = {(r.whole("original_height"), r.whole("original_width")) for r in drawn}
        if not sizes:
            return painted([], size_hw(task.path), largest_first=False)
        hw = check_size(sizes.pop(), drawn[0].where)
        if sizes:
            raise InputError(f"{drawn[0].where}: results of one picture differ in size")
        areas = [(_area(r, hw), self._classes.ids[_labels(r)[0]]) for r in drawn]
        return painted(areas, hw, largest_first=False)


def _files(root: Path) -> dict[str, Path]:
    found = [path for path in sorted(root.glob("*.json")) if _EXPORT.match(path.name)]
    return {WHOLE: found[-1]} if found else {}


def _tasks(root: Path, file: Path) -> dict[str, _Task]:
    """Return the tasks that were annotated, by their picture's name."""
    known = {
        path.name: path
        for folder in (root, root / "images")
        for path in sorted(folder.glob("*"))
        if path.suffix.lower() in SUFFIXES
    }
    names, tasks = [], []
    for entry in read_entries(file, "task"):
        done = [
            each
            for each in entry.entries("annotations", "annotation")
            if not each.flag("was_cancelled")
        ]
        if not done:
            continue
        name = _picture_name(entry.entry("data"))
        own = known.get(name) or known.get(_UPLOAD.sub("", name))
        path = own or root / "images" / name
        names.append(stem_of(path.name))
        tasks.append(_Task(path, done[0].entries("result", "result")))
    check_unique(names, str(file))
    return dict(zip(names, tasks, strict=True))


def _picture_name(data: Entry) -> str:
    """Return the file name in the value that is the address of a picture."""
    for value in data.values.values():
        if not isinstance(value, str):
            continue
        parts = urlsplit(value)
        text = parse_qs(parts.query).get("d", [parts.path])[0]
        name = PurePosixPath(unquote(text).replace("\\", "/")).name
        if PurePosixPath(name).suffix.lower() in SUFFIXES and "\0" not in name:
            return name
    raise InputError(f"{data.where}: expected the address of a picture")


def _labels(result: Entry) -> list[str]:
    """Return the labels of a result that is an area."""
    kind, value = result.values.get("type"), result.values.get("value")
    labels = value.get(kind) if isinstance(value, dict) and kind in _KINDS else None
    if labels is None:
        return []
    if not isinstance(labels, list) or not all(isinstance(n, str) for n in labels):
        raise result.wrong("value", f"an object with a list {kind!r}")
    return labels


def _area(result: Entry, hw: tuple[int, int]) -> Area:
    value, kind = result.entry("value"), result.text("type")
    if kind == "brushlabels":
        if value.values.get("format") != "rle":
            raise value.wrong("format", "'rle'")
        return brush(value.items("rle"), hw, value.where)
    if kind == "polygonlabels":
        corners = points_of(value.values.get("points"), (100, 100), value.where)
        return filled(corners / 100 * hw[::-1], hw)
    turn = value.number("rotation") if value.has("rotation") else 0.0
    keys = ("x", "y", "width", "height")
    if kind == "rectanglelabels":
        x, y, width, height = _pixels([value.number(key) for key in keys], hw)
        return turned_box((x, y), (width, height), turn, hw)
    keys = ("x", "y", "radiusX", "radiusY")
    x, y, across, down = _pixels([value.number(key) for key in keys], hw)
    return ellipse((x, y), (across, down), turn, hw)


def _pixels(percents: list[float], hw: tuple[int, int]) -> list[float]:
    if not all(-100 <= value <= 200 for value in percents):
        raise InputError(f"expected percents of a picture, got {percents}")
    return [value / 100 * hw[1 - i % 2] for i, value in enumerate(percents)]


PLUGIN = LabelStudioDataset
