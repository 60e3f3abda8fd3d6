"""LabelMe's layout: one JSON file beside each picture, with shapes.

Polygons, rectangles, circles, lines, points and masks are drawn with Pillow in the
order of the file, as LabelMe's own ``shapes_to_label`` does it: lines ten pixels wide,
points with a radius of five. A picture that is only inside its JSON (``imageData``) is
taken from there.

Class ids follow ``labels.txt``, LabelMe's own list, or without one the alphabet;
``__ignore__`` is void.

References
----------
https://github.com/wkentaro/labelme
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.lists import folders_of, no_split
from edgeseg.runtime.annotations.areas import Area, check_size, painted
from edgeseg.runtime.annotations.classes import Classes, named
from edgeseg.runtime.annotations.colours import read_table
from edgeseg.runtime.annotations.drawn import DrawnDataset
from edgeseg.runtime.annotations.entries import Entry, read_entry
from edgeseg.runtime.annotations.outlines import points_of
from edgeseg.runtime.annotations.splits import WHOLE, choose_split, pictures_in
from edgeseg.runtime.pictures.files import SUFFIXES, decode_picture, size_hw

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

_LABELS = "labels.txt"
_LINE, _POINT = 10, 5  # width and radius in pixels
_CORNERS = {"circle": 2, "rectangle": 2, "line": 2, "linestrip": 2, "point": 1}
_HEAD = 4096  # bytes that show what a JSON file is


class LabelmeDataset(DrawnDataset):
    """A folder that was annotated with LabelMe.

    Parameters
    ----------
    root : Path
        Holds pictures and JSON files, or a folder of them for each split.
    split : str
        Such a folder.
    labels : str or None
        Replaces the classes' names, background first.

    Raises
    ------
    InputError
        The split is missing or empty, or a file is malformed.
    """

    LAYOUT = "a JSON file beside each picture, or SPLIT/ of these (LabelMe)"

    def __init__(self, root: Path, split: str, labels: str | None = None) -> None:
        self._root = root
        folders = {WHOLE: root} if _is_one(root) else _folders(root)
        if not folders:
            raise no_split(root, split, "JSON files beside pictures", ())
        self._folder = choose_split(root, split, folders, str(root / split))[1]
        self._pictures = pictures_in(self._folder)
        self._ids = tuple(path.stem for path in _files(self._folder))
        self._classes = _classes(root)
        self._labels = named(self._classes.labels, labels)

    @classmethod
    def recognizes(cls, root: Path) -> bool:
        """Return whether the root or a folder in it holds such files."""
        return _is_one(root) or bool(_folders(root))

    @classmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        """Return the folders; ``all`` where the files are in the root."""
        return (WHOLE,) if _is_one(root) else tuple(_folders(root))

    def picture_path(self, name: str) -> Path:
        """Return the picture beside, or the JSON file that holds it."""
        if name in self._pictures:
            return self._pictures[name]
        file = self.truth_path(name)
        entry = read_entry(file)
        if entry.has("imagePath"):
            beside = entry.text("imagePath").replace("\\", "/").rpartition("/")[2]
            is_picture = f".{beside.rpartition('.')[2].lower()}" in SUFFIXES
            if is_picture and (self._folder / beside).is_file():
                return self._folder / beside
        embedded = entry.has("imageData")
        return file if embedded else self._folder / f"{name}.jpg"

    def truth_path(self, name: str) -> Path:
        """Return ``NAME.json``."""
        return self._folder / f"{name}.json"

    def other_files(self) -> tuple[Path, ...]:
        """Return the files that the class names were taken from."""
        own = self._root / _LABELS
        return (own,) if own.is_file() else tuple(_every_file(self._root))

    def picture(self, name: str) -> NDArray[np.uint8]:
        """Return a picture; see `Dataset.picture`."""
        path = self.picture_path(name)
        if path.suffix != ".json":
            return super().picture(name)
        text = read_entry(path).text("imageData")
        try:
            content = base64.b64decode(text)
        except ValueError as error:
            raise InputError(f"{path}: 'imageData' is no base64: {error}") from error
        return decode_picture(content, f"in {path}, imageData")

    def draw(self, name: str) -> NDArray[np.uint8]:
        """Return a picture's class ids; see `DrawnDataset.draw`."""
        file = read_entry(self.truth_path(name))
        hw = self._size_hw(name, file)
        areas = []
        for shape in file.entries("shapes", "shape"):
            class_id = self._classes.id_of(shape.text("label"), shape.where)
            areas.append((_area(shape, hw), class_id))
        return painted(areas, hw, largest_first=False)

    def _size_hw(self, name: str, file: Entry) -> tuple[int, int]:
        if file.has("imageHeight") and file.has("imageWidth"):
            hw = file.whole("imageHeight"), file.whole("imageWidth")
            return check_size(hw, file.where)
        path = self.picture_path(name)
        if path.suffix == ".json":
            height, width, _ = self.picture(name).shape
            return height, width
        return size_hw(path)


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*.json") if not p.name.startswith("."))


def _folders(root: Path) -> dict[str, Path]:
    return {name: root / name for name in folders_of(root) if _is_one(root / name)}


def _every_file(root: Path) -> list[Path]:
    folders = [root] if _is_one(root) else [*_folders(root).values()]
    return [path for folder in folders for path in _files(folder)]


def _is_one(folder: Path) -> bool:
    """Return whether a folder holds JSON files of pictures."""
    stems = {p.stem for p in folder.glob("*") if p.suffix.lower() in SUFFIXES}
    files = _files(folder)
    if any(path.stem in stems for path in files):
        return True
    return bool(files) and not stems and _looks_like_one(files[0])


def _looks_like_one(path: Path) -> bool:
    """Return whether a JSON file without a picture beside it begins as LabelMe's."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return b'"shapes"' in head and b'"flags"' in head


def _classes(root: Path) -> Classes:
    own = root / _LABELS
    if own.is_file():
        lines = (line.strip() for line in read_table(own).splitlines())
        return Classes.of((line for line in lines if line), own)
    shapes = (
        shape
        for path in _every_file(root)
        for shape in read_entry(path).entries("shapes", "shape")
    )
    return Classes.of(sorted({shape.text("label") for shape in shapes}), root)


def _area(shape: Entry, hw: tuple[int, int]) -> Area:
    from PIL import Image, ImageDraw

    kind = str(shape.values.get("shape_type") or "polygon")
    if kind == "mask":
        return _stored(shape, hw)
    points = points_of(
        shape.values.get("points"), hw, shape.where, least=_CORNERS.get(kind, 3)
    )
    canvas = Image.new("L", hw[::-1])
    draw = ImageDraw.Draw(canvas)
    corners = [(float(x), float(y)) for x, y in points]
    (x, y), (right, bottom) = corners[0], corners[min(1, len(corners) - 1)]
    if kind in ("polygon", "oriented_rectangle"):
        draw.polygon(corners, outline=1, fill=1)
    elif kind == "rectangle":
        box = min(x, right), min(y, bottom), max(x, right), max(y, bottom)
        draw.rectangle(box, outline=1, fill=1)
    elif kind in ("circle", "point"):
        reach = (
            _POINT if kind == "point" else ((right - x) ** 2 + (bottom - y) ** 2) ** 0.5
        )
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), outline=1, fill=1)
    elif kind in ("line", "linestrip"):
        draw.line(corners, fill=1, width=_LINE)
    else:
        raise shape.wrong(
            "shape_type",
            f"polygon, rectangle, oriented_rectangle, mask, {', '.join(_CORNERS)}",
        )
    return _cut_out(canvas)


def _cut_out(canvas: PillowImage) -> Area:
    import numpy as np

    left, top, right, bottom = canvas.getbbox() or (0, 0, 0, 0)
    mask = np.asarray(canvas.crop((left, top, right, bottom))).astype(np.bool_)
    return Area(top, left, mask)


def _stored(shape: Entry, hw: tuple[int, int]) -> Area:
    """Return the pixels of a shape that is a PNG inside the JSON."""
    import numpy as np
    from PIL import Image

    points = points_of(shape.values.get("points"), hw, shape.where, least=2)
    left, top = (int(value) for value in points[0])
    try:
        content = base64.b64decode(shape.text("mask"))
        with Image.open(io.BytesIO(content)) as image:
            if image.width > hw[1] or image.height > hw[0]:
                raise ValueError(f"it is {image.width}x{image.height}")
            mask = np.asarray(image.convert("L")) > 0
    except (ValueError, OSError, SyntaxError) as error:
        raise InputError(
            f"{shape.where}: expected 'mask' to be a PNG within the picture: {error}"
        ) from error
    return Area.placed(top, left, mask, hw)


PLUGIN = LabelmeDataset
