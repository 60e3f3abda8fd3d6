"""YOLO's layout of outlines: data.yaml, images/ and labels/.

A label file has a line for every object: a class number, then x and y of its outline's
corners as fractions of the picture. A picture without a file has no objects. Class ids
are one more than the numbers, unless class 0 is called background.

Corners are rounded to pixels and filled with their line, so that contours of a mask
come out as they were; the smaller object is on top, as in Ultralytics' masks. An object
of which only a box is known is void where nothing else is.

References
----------
https://docs.ultralytics.com/datasets/segment/
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.accuracy.lists import check_unique
from edgeseg.runtime.annotations.areas import Area, painted
from edgeseg.runtime.annotations.classes import Classes, named
from edgeseg.runtime.annotations.drawn import DrawnDataset
from edgeseg.runtime.annotations.outlines import box, filled, points_of
from edgeseg.runtime.annotations.splits import choose_split, pictures_in, stem_of
from edgeseg.runtime.annotations.yolo_file import YoloFile, find_yolo_file
from edgeseg.runtime.model.labels import VOID
from edgeseg.runtime.pictures.files import SUFFIXES, size_hw

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LOOKED_AT = 50  # label files that show whether there are outlines at all


class YoloDataset(DrawnDataset):
    """A folder of Ultralytics' YOLO, as Roboflow, CVAT and Label Studio write it too.

    Parameters
    ----------
    root : Path
        Holds ``data.yaml``, or ``classes.txt`` with ``images`` and ``labels``.
    split : str
        ``train``, ``val`` or ``test``.
    labels : str or None
        Replaces the classes' names, background first.

    Raises
    ------
    InputError
        The split is missing or empty, a file is malformed or has boxes only.
    MissingDriverError
        PyYAML is not installed.
    """

    LAYOUT = "data.yaml, images/ and labels/ (YOLO segmentation)"

    def __init__(self, root: Path, split: str, labels: str | None = None) -> None:
        self._file = YoloFile.read(root, split)
        places = self._file.splits
        name, place = choose_split(root, split, places, f"{split} in {self._file.path}")
        self._pictures = _pictures(root, place, self._file)
        self._ids = tuple(self._pictures)
        if not self._ids:
            raise InputError(
                f"no pictures in {place}, which {self._file.path} names for {name}: "
                f"expected files that end in {', '.join(sorted(SUFFIXES))}"
            )
        self._classes = Classes.of(self._file.names, self._file.path)
        self._labels = named(self._classes.labels, labels)
        self._check_outlines()

    @classmethod
    def recognizes(cls, root: Path) -> bool:
        """Return whether there is such a file, and labels."""
        return find_yolo_file(root) is not None

    @classmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        """Return the splits that the file names and that are there."""
        if find_yolo_file(root) is None:
            return ()
        return tuple(sorted(YoloFile.read(root, "").splits))

    def picture_path(self, name: str) -> Path:
        """Return the picture of that name."""
        return self._pictures[name]

    def truth_path(self, name: str) -> Path:
        """Return the label file; of a picture without objects, the list of classes."""
        file = _label_file(self._pictures[name])
        return file if file.is_file() else self._file.path

    def other_files(self) -> tuple[Path, ...]:
        """Return the list of classes."""
        return (self._file.path,)

    def draw(self, name: str) -> NDArray[np.uint8]:
        """Return a picture's class ids; see `DrawnDataset.draw`."""
        hw = size_hw(self._pictures[name])
        objects, loose = [], []
        for number, fields in enumerate(_rows(_label_file(self._pictures[name])), 1):
            where = f"{_label_file(self._pictures[name])}, line {number}"
            class_id = self._class_of(fields, where)
            if _is_box(fields):
                loose.append((_box(fields, hw, where), VOID))
            else:
                objects.append((_area(fields, hw, where), class_id))
        return painted(objects, hw, largest_first=True, below=loose)

    def _class_of(self, fields: list[str], where: str) -> int:
        names = self._file.names
        if not fields[0].isdecimal() or int(fields[0]) >= len(names):
            raise InputError(
                f"{where}: expected a class number 0 to {len(names) - 1}, got "
                f"{fields[0][:20]!r}"
            )
        return self._classes.ids[names[int(fields[0])]]

    def _check_outlines(self) -> None:
        """Raise where the first label files have boxes only."""
        rows = [
            fields
            for name in self._ids[:_LOOKED_AT]
            for fields in _rows(_label_file(self._pictures[name]))
        ]
        if rows and all(map(_is_box, rows)):
            raise InputError(
                f"{self._file.path} is a data set of boxes: expected lines of a class "
                "and an outline; export for segmentation"
            )


def _pictures(root: Path, place: Path, file: YoloFile) -> dict[str, Path]:
    """Return the pictures of a split: of a folder and those in it, or of a list."""
    if place.is_file():
        paths = file.listed(place)
        names = [stem_of(path.name) for path in paths]
        check_unique(names, str(place))
        return dict(sorted(zip(names, paths, strict=True)))
    found = pictures_in(place)
    for folder in sorted(path for path in place.rglob("*") if path.is_dir()):
        inner = folder.relative_to(place).as_posix()
        found |= {f"{inner}/{stem}": p for stem, p in pictures_in(folder).items()}
    return dict(sorted(found.items()))


def _label_file(picture: Path) -> Path:
    """Return where Ultralytics looks: the last ``images`` of the path is ``labels``."""
    parts = list(picture.parts)
    for place in range(len(parts) - 2, -1, -1):
        if parts[place] == "images":
            parts[place] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _rows(path: Path) -> list[list[str]]:
    if not path.is_file():
        return []
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {reason_of(error)}") from error
    return [line.split() for line in lines if line.strip()]


def _is_box(fields: list[str]) -> bool:
    return len(fields) == 5


def _area(fields: list[str], hw: tuple[int, int], where: str) -> Area:
    points = points_of(_numbers(fields, where), (1, 1), where)
    return filled(points * hw[::-1], hw)


def _box(fields: list[str], hw: tuple[int, int], where: str) -> Area:
    values = points_of(_numbers(fields, where), (1, 1), where, least=2)
    (x, y), (width, height) = (values * hw[::-1]).tolist()
    reach_x, reach_y = width / 2, height / 2
    return box(x - reach_x, y - reach_y, x + reach_x, y + reach_y, hw)


def _numbers(fields: list[str], where: str) -> list[float]:
    try:
        return [float(field) for field in fields[1:]]
    except ValueError as error:
        raise InputError(f"{where}: expected numbers: {error}") from error


PLUGIN = YoloDataset
