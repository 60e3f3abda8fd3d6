"""Supervisely's layout: meta.json, and DATASET/img/ with DATASET/ann/.

The annotation of ``img/NAME.jpg`` is ``ann/NAME.jpg.json``. Bitmaps (a PNG, compressed,
in base64), polygons, rectangles and lines are painted in the order of the file, as
Supervisely shows them. Class ids follow ``meta.json``, background first.

References
----------
https://docs.supervisely.com/data-organization/00_ann_format_navi
"""

from __future__ import annotations

import base64
import io
import zlib
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.lists import check_unique, folders_of
from edgeseg.runtime.annotations.areas import Area, check_size, painted
from edgeseg.runtime.annotations.classes import Classes, named
from edgeseg.runtime.annotations.drawn import DrawnDataset
from edgeseg.runtime.annotations.entries import Entry, read_entry
from edgeseg.runtime.annotations.outlines import box, filled, points_of, stroke
from edgeseg.runtime.annotations.splits import WHOLE, choose_split, stem_of
from edgeseg.runtime.pictures.files import SUFFIXES

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_META = "meta.json"
_LONGEST = 64_000_000  # bytes of a PNG of a bitmap


class SuperviselyDataset(DrawnDataset):
    """A project that was downloaded from Supervisely.

    Parameters
    ----------
    root : Path
        Holds ``meta.json`` and a folder for each data set.
    split : str
        A data set; one alone is found by any name.
    labels : str or None
        Replaces the classes' names, background first.

    Raises
    ------
    InputError
        The data set is missing or empty, or ``meta.json`` is malformed.
    """

    LAYOUT = "meta.json, DATASET/img/ and DATASET/ann/ (Supervisely)"

    def __init__(self, root: Path, split: str, labels: str | None = None) -> None:
        folders = _folders(root)
        found = {WHOLE: next(iter(folders.values()))} if len(folders) == 1 else folders
        _, self._folder = choose_split(root, split, found, str(root / split / "ann"))
        self._pictures = _pictures(self._folder / "img")
        self._ids = tuple(sorted(self._pictures))
        if not self._ids:
            raise InputError(f"no pictures in {self._folder / 'img'}: expected some")
        self._meta = root / _META
        entries = read_entry(self._meta).entries("classes", "class")
        self._classes = Classes.of((e.text("title") for e in entries), self._meta)
        self._labels = named(self._classes.labels, labels)

    @classmethod
    def recognizes(cls, root: Path) -> bool:
        """Return whether the list of classes and folders of annotations are there."""
        return (root / _META).is_file() and bool(_folders(root))

    @classmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        """Return the data sets."""
        return tuple(_folders(root))

    def picture_path(self, name: str) -> Path:
        """Return the picture of that stem."""
        return self._pictures[name]

    def truth_path(self, name: str) -> Path:
        """Return ``ann/NAME.jpg.json``."""
        return self._folder / "ann" / f"{self._pictures[name].name}.json"

    def other_files(self) -> tuple[Path, ...]:
        """Return the list of classes."""
        return (self._meta,)

    def draw(self, name: str) -> NDArray[np.uint8]:
        """Return a picture's class ids; see `DrawnDataset.draw`."""
        file = read_entry(self.truth_path(name))
        size = file.entry("size")
        hw = check_size((size.whole("height"), size.whole("width")), file.where)
        areas = []
        for each in file.entries("objects", "object"):
            class_id = self._classes.id_of(each.text("classTitle"), each.where)
            areas.append((_area(each, hw), class_id))
        return painted(areas, hw, largest_first=False)


def _folders(root: Path) -> dict[str, Path]:
    names = folders_of(root)
    return {
        name: root / name
        for name in names
        if all((root / name / part).is_dir() for part in ("ann", "img"))
    }


def _pictures(folder: Path) -> dict[str, Path]:
    paths = [p for p in sorted(folder.glob("*")) if p.suffix.lower() in SUFFIXES]
    names = [stem_of(path.name) for path in paths]
    check_unique(names, str(folder))
    return dict(zip(names, paths, strict=True))


def _area(each: Entry, hw: tuple[int, int]) -> Area:
    kind = each.values.get("geometryType")
    if kind == "bitmap":
        return _bitmap(each.entry("bitmap"), hw)
    outline = each.entry("points")
    least = {"rectangle": 2, "line": 2}.get(str(kind), 3)
    corners = points_of(outline.values.get("exterior"), hw, each.where, least=least)
    if kind == "polygon":
        holes = outline.items("interior") if outline.has("interior") else []
        inner = [points_of(hole, hw, each.where) for hole in holes]
        return filled(corners, hw, inner)
    if kind == "rectangle":
        (left, top), (right, bottom) = corners[:2].tolist()
        return box(left, top, right, bottom, hw)
    if kind == "line":
        return stroke(corners, hw, 1)
    raise each.wrong("geometryType", "bitmap, polygon, rectangle or line")


def _bitmap(bitmap: Entry, hw: tuple[int, int]) -> Area:
    import numpy as np
    from PIL import Image

    origin = points_of(bitmap.items("origin"), hw, bitmap.where, least=1)[0]
    left, top = int(origin[0]), int(origin[1])
    try:
        packed = base64.b64decode(bitmap.text("data"))
        content = zlib.decompressobj().decompress(packed, _LONGEST)
        with Image.open(io.BytesIO(content)) as image:
            if image.width > hw[1] or image.height > hw[0]:
                raise ValueError(f"it is {image.width}x{image.height}")
            # one bit a pixel, or colour and opacity
            alpha = image.getchannel("A") if "A" in image.getbands() else image
            mask = np.asarray(alpha.convert("L")) > 0
    except (ValueError, OSError, SyntaxError, zlib.error) as error:
        raise InputError(
            f"{bitmap.where}: expected 'data' to be a compressed PNG within the "
            f"picture: {error}"
        ) from error
    return Area.placed(top, left, mask, hw)


PLUGIN = SuperviselyDataset
