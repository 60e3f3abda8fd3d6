"""Label sets: the names and colours of class ids.

The known sets are JSON files in ``labelsets/``; a file of one's own is a text file
with one name a line, or JSON of the same form as the known ones.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_files import check_file_or_folder

if TYPE_CHECKING:
    from edgeseg.devices.types import Json, JsonValue


Colour = tuple[int, int, int]

# Truth of no class: left out of every count, as PASCAL VOC and Cityscapes have it
VOID = 255

_FOLDER = Path(__file__).with_name("labelsets")

# Names under which data sets write the same class, reduced as `same_name` does.
_ALIASES = {
    "tvmonitor": "tv",
    "airplane": "aeroplane",
    "motorcycle": "motorbike",
    "backgroundother": "background",
}
# Names of "none of the classes": an overlay leaves these pixels as they are.
_BACKGROUND = frozenset({"background", "other", "unlabelled", "unlabeled", "void"})


@dataclass(frozen=True)
class LabelSet:
    """Names and colours of class ids 0, 1, 2, ...

    Parameters
    ----------
    labels : tuple of str
        One name a class id.
    palette : tuple of (int, int, int)
        One RGB colour, 0..255, a class id.
    """

    labels: tuple[str, ...]
    palette: tuple[Colour, ...]


def known_label_sets() -> tuple[str, ...]:
    """Return the names of the label sets that come with the package."""
    names = (entry.name for entry in _FOLDER.iterdir())
    return tuple(sorted(n[: -len(".json")] for n in names if n.endswith(".json")))


def load_labels(text: str) -> LabelSet:
    """Return the label set of a known name or of a file.

    Parameters
    ----------
    text : str
        A name from `known_label_sets`, or a path: a text file with one name a line,
        or JSON with ``{"classes": [{"name": ..., "colour": [R, G, B]}, ...]}``.

    Raises
    ------
    InputError
        Neither a known name nor a readable file.

    Examples
    --------
    >>> load_labels("pascal-voc").labels[15]
    'person'
    """
    if text in known_label_sets():
        return _from_json((_FOLDER / f"{text}.json").read_text("utf-8"), text)
    path = Path(text)
    check_file_or_folder(path)
    if not os.path.isfile(path):
        raise InputError(
            f"no label set or file {text!r}; known label sets: "
            f"{', '.join(known_label_sets())}"
        )
    try:
        content = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read labels from {path}: {error}") from error
    if path.suffix == ".json":
        return _from_json(content, text)
    return label_set_of(parse_labels(content, text))


def parse_labels(content: str, where: str) -> tuple[str, ...]:
    """Return the names in a list with one name a line; trailing blank lines go.

    Raises
    ------
    InputError
        No names, an empty line between names, or over 256 of them.
    """
    names = tuple(line.strip() for line in content.rstrip().splitlines())
    if not names or not all(names) or len(names) > 256:
        raise InputError(
            f"{where}: expected 1 to 256 class names, one a line without gaps; got "
            f"{len(names)} lines, {sum(not name for name in names)} of them empty"
        )
    return names


def label_set_of(labels: tuple[str, ...]) -> LabelSet:
    """Return labels with the colours of the known set that has the same names.

    Other lists get the PASCAL VOC colour map, which is defined for 256 ids.
    """
    wanted = [same_name(label) for label in labels]
    for name in known_label_sets():
        known = load_labels(name)
        if [same_name(label) for label in known.labels] == wanted:
            return LabelSet(labels, known.palette)
    return LabelSet(labels, voc_palette(len(labels)))


def same_name(label: str) -> str:
    """Return a label reduced so that two spellings of a class are equal.

    Examples
    --------
    >>> same_name("TV monitor") == same_name("tv")
    True
    >>> same_name("dining table")
    'diningtable'
    """
    reduced = "".join(c for c in label.lower() if c.isalnum())
    return _ALIASES.get(reduced, reduced)


def background_ids(labels: tuple[str, ...]) -> tuple[int, ...]:
    """Return the class ids that stand for no class; id 0 where there are no labels.

    Examples
    --------
    >>> background_ids(("road", "sidewalk"))
    ()
    """
    if not labels:
        return (0,)
    return tuple(i for i, name in enumerate(labels) if same_name(name) in _BACKGROUND)


def ids_of(name: str, labels: tuple[str, ...]) -> list[int]:
    """Return the class ids of a name.

    Parameters
    ----------
    name : str
        It may be that of several ids; a number is an id where there is no label of
        that name.
    labels : tuple of str
        One name a class id; empty where unknown.

    Raises
    ------
    InputError
        There is no such class; the message lists the known ones.

    Examples
    --------
    >>> ids_of("TV", ("person", "tv monitor"))
    [1]
    """
    wanted = same_name(name)
    ids = [i for i, label in enumerate(labels) if same_name(label) == wanted]
    if not ids and wanted.isdecimal() and int(wanted) < (len(labels) or 256):
        return [int(wanted)]
    if not ids:
        known = ", ".join(labels) or "ids 0..255 (the model has no labels)"
        raise InputError(f"classes: unknown class {name!r}; known: {known}")
    return ids


def voc_palette(count: int = 256) -> tuple[Colour, ...]:
    """Return the first colours of the PASCAL VOC colour map.

    The bits of the id are dealt in turn to red, green and blue, most significant
    colour bit first (VOC development kit, ``VOClabelcolormap``).

    Examples
    --------
    >>> voc_palette(3)
    ((0, 0, 0), (128, 0, 0), (0, 128, 0))
    """
    return tuple(_voc_colour(i) for i in range(count))


def _voc_colour(class_id: int) -> Colour:
    red = green = blue = 0
    for place in range(8):
        bits = class_id >> (3 * place)
        red |= (bits & 1) << (7 - place)
        green |= (bits >> 1 & 1) << (7 - place)
        blue |= (bits >> 2 & 1) << (7 - place)
    return red, green, blue


def _from_json(content: str, where: str) -> LabelSet:
    try:
        classes: list[Json] = json.loads(content)["classes"]
        labels = tuple(str(entry["name"]) for entry in classes)
        palette = tuple(_colour(entry["colour"]) for entry in classes)
        if not 1 <= len(labels) <= 256:
            raise ValueError(f"1 to 256 classes expected, got {len(labels)}")
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InputError(
            f"{where}: expected JSON with a list 'classes' of objects with 'name' and "
            f"'colour' [R, G, B]; {type(error).__name__}: {error}"
        ) from error
    return LabelSet(labels, palette)


def _colour(values: JsonValue) -> Colour:
    red, green, blue = (int(value) for value in values)
    if not all(0 <= value <= 255 for value in (red, green, blue)):
        raise ValueError(f"colour {values} is not three numbers 0..255")
    return red, green, blue
