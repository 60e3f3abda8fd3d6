"""COCO's layout: JSON with images, categories and annotations.

It is looked for where COCO itself has it (``annotations/instances_SPLIT2017.json``),
where CVAT and Datumaro put it (``annotations/instances_default.json``), Roboflow
(``SPLIT/_annotations.coco.json``) and Label Studio (``result.json``). Segmentations may
be polygons or run lengths, compressed or not.

Class ids follow the categories' ids, with background as 0; the group that Roboflow
lists as a category is none. Where areas overlap, the smaller one is on top. Objects of
which only a box is known are void where nothing else is, and so are crowds in files
that are named like COCO's own (``instances_val2017.json``). In other files a crowd
counts as its class: CVAT and Datumaro mark every mask that is no polygon as one.

References
----------
https://cocodataset.org/#format-data
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.lists import check_unique
from edgeseg.runtime.annotations.areas import check_size, painted
from edgeseg.runtime.annotations.classes import Classes, named
from edgeseg.runtime.annotations.drawn import DrawnDataset
from edgeseg.runtime.annotations.enclosed import enclosed
from edgeseg.runtime.annotations.entries import Entry, read_entry
from edgeseg.runtime.annotations.outlines import box, points_of
from edgeseg.runtime.annotations.run_lengths import area_of_runs
from edgeseg.runtime.annotations.splits import WHOLE, choose_split, safe_name, stem_of
from edgeseg.runtime.model.labels import VOID

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.annotations.areas import Area

_log = logging.getLogger(__name__)

_ROBOFLOW = "_annotations.coco.json"
_IN_ROOT = ("result.json", "annotations.json", "instances.json", "coco.json", _ROBOFLOW)
# other tasks of COCO in the same folder
_OTHERS = ("captions_", "person_keypoints_", "image_info_", "stuff_", "panoptic_")
_YEAR = re.compile(r"(?<=[a-z])_?20\d\d$")


@dataclass(frozen=True)
class _Picture:
    """A picture of the list: its file, its size, and its objects."""

    path: Path
    size_hw: tuple[int, int]
    objects: list[Entry]


class CocoDataset(DrawnDataset):
    """A COCO folder.

    Parameters
    ----------
    root : Path
        Holds ``annotations/*.json``, ``SPLIT/_annotations.coco.json`` or
        ``result.json``, and the pictures.
    split : str
        ``val`` also finds ``val2017`` and ``valid``.
    labels : str or None
        Replaces the categories' names, background first.

    Raises
    ------
    InputError
        The split is missing, the file is malformed or has boxes only.
    """

    LAYOUT = "annotations/instances_SPLIT.json or SPLIT/_annotations.coco.json (COCO)"

    def __init__(self, root: Path, split: str, labels: str | None = None) -> None:
        expected = f"{root / 'annotations'}/instances_{split}.json"
        name, self._file = choose_split(root, split, _files(root), expected)
        content = read_entry(self._file)
        self._crowds_are_void = bool(_YEAR.search(self._file.stem))
        self._categories = _categories(content)
        self._classes = Classes.of(self._categories.values(), self._file)
        self._labels = named(self._classes.labels, labels)
        self._pictures = _pictures(content, root, name, self._file)
        self._ids = tuple(sorted(self._pictures))
        if not self._ids:
            raise InputError(f"{self._file} lists no pictures: expected some images")

    @classmethod
    def recognizes(cls, root: Path) -> bool:
        """Return whether there is such a JSON file."""
        return bool(_files(root))

    @classmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        """Return the splits of the files; ``all`` for one without."""
        return tuple(sorted(_files(root)))

    def picture_path(self, name: str) -> Path:
        """Return where ``file_name`` was found."""
        return self._pictures[name].path

    def truth_path(self, name: str) -> Path:
        """Return the JSON file, which is that of all pictures."""
        return self._file

    def draw(self, name: str) -> NDArray[np.uint8]:
        """Return a picture's class ids; see `DrawnDataset.draw`."""
        picture = self._pictures[name]
        size_hw = check_size(picture.size_hw, f"{self._file}, image {name}")
        objects, loose = [], []
        for each in picture.objects:
            class_id = self._class_of(each)
            area, is_exact = _area(each, size_hw)
            if not is_exact or (each.flag("iscrowd") and self._crowds_are_void):
                loose.append((area, VOID))
            else:
                objects.append((area, class_id))
        return painted(objects, size_hw, largest_first=True, below=loose)

    def _class_of(self, entry: Entry) -> int:
        category = entry.whole("category_id")
        if category not in self._categories:
            known = ", ".join(map(str, list(self._categories)[:12]))
            raise InputError(
                f"{entry.where}: unknown category_id {category}; known: {known}"
            )
        return self._classes.ids[self._categories[category]]


def _files(root: Path) -> dict[str, Path]:
    """Return the JSON files of a folder by their split."""
    found = {path.parent.name: path for path in sorted(root.glob(f"*/{_ROBOFLOW}"))}
    for path in sorted((root / "annotations").glob("*.json")):
        if not path.name.startswith((*_OTHERS, ".")):
            found[_YEAR.sub("", path.stem.removeprefix("instances_"))] = path
    if not found:
        files = [root / name for name in _IN_ROOT if (root / name).is_file()]
        found = {WHOLE: files[0]} if files else {}
    return found


def _categories(content: Entry) -> dict[int, str]:
    """Return the names of the categories by their id, in order of id."""
    entries = content.entries("categories", "category")
    groups = {str(e.values.get("supercategory")) for e in entries}
    found: dict[int, str] = {}
    for entry in sorted(entries, key=lambda each: each.whole("id")):
        name = entry.text("name")
        if entry.whole("id") in found:
            raise InputError(f"{entry.where}: a second category of that id")
        is_group = entry.values.get("supercategory") == "none" and name in groups
        found[entry.whole("id")] = "background" if is_group else name
    return found


def _pictures(
    content: Entry, root: Path, split: str, file: Path
) -> dict[str, _Picture]:
    """Return the pictures of a file by their name, with their objects."""
    folders = [
        file.parent,
        *(root / "images" / part for part in (split, f"{split}2017", f"{split}2014")),
        *(root / part for part in (split, f"{split}2017", f"{split}2014")),
        root / "images",
        root,
        root / "data",
    ]
    by_id: dict[int, _Picture] = {}
    names: list[str] = []
    for entry in content.entries("images", "image"):
        name = safe_name(entry.text("file_name"), entry.where)
        key = entry.whole("id")
        if key in by_id:
            raise InputError(f"{entry.where}: a second image of the id {key}")
        names.append(stem_of(name))
        size_hw = entry.whole("height"), entry.whole("width")
        by_id[key] = _Picture(_found(name, folders), size_hw, [])
    check_unique(names, str(file))
    _share_out(content.entries("annotations", "annotation"), by_id, file)
    return dict(zip(names, by_id.values(), strict=True))


def _share_out(objects: list[Entry], by_id: dict[int, _Picture], file: Path) -> None:
    lost = outlined = 0
    for entry in objects:
        key = entry.whole("image_id")
        outlined += bool(entry.values.get("segmentation"))
        if key in by_id:
            by_id[key].objects.append(entry)
        lost += key not in by_id
    if objects and not outlined:
        raise InputError(
            f"{file} has boxes only: expected annotations with a segmentation; export "
            "polygons or masks"
        )
    if lost:
        _log.warning(
            "%s: %d annotations are of images that it does not list", file, lost
        )


def _found(name: str, folders: list[Path]) -> Path:
    """Return where a picture is, looking first where the last one was."""
    for place, folder in enumerate(folders):
        if (folder / name).is_file():
            folders.insert(0, folders.pop(place))
            return folder / name
    return folders[0] / name


def _area(entry: Entry, size_hw: tuple[int, int]) -> tuple[Area, bool]:
    """Return the pixels of an object, and whether they are exact."""
    outline = entry.values.get("segmentation")
    if isinstance(outline, dict):
        return _area_of_runs(entry.entry("segmentation"), size_hw), True
    if not outline:
        return _box(entry, size_hw), False
    parts = [
        points_of(part, size_hw, entry.where) for part in entry.items("segmentation")
    ]
    return enclosed(parts, size_hw), True


def _area_of_runs(runs: Entry, size_hw: tuple[int, int]) -> Area:
    if runs.items("size") != list(size_hw):
        raise InputError(
            f"{runs.where}: expected run lengths of size {list(size_hw)}, which the "
            f"picture has, got {runs.items('size')[:3]}"
        )
    return area_of_runs(runs.values.get("counts"), size_hw, runs.where)


def _box(entry: Entry, size_hw: tuple[int, int]) -> Area:
    x, y, width, height = points_of(
        entry.values.get("bbox"), size_hw, f"{entry.where}, bbox", least=2
    ).ravel()[:4]
    return box(x, y, x + width - 1, y + height - 1, size_hw)


PLUGIN = CocoDataset
