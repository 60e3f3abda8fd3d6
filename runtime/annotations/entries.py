"""JSON files of annotations, read with care: what is wrong is named with its place."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import reason_of, shortened

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json, JsonValue

_SHOWN = 60  # characters of a wrong value


@dataclass(frozen=True)
class Entry:
    """An object of a JSON file whose values are checked when they are read.

    Parameters
    ----------
    values : dict
        The object.
    where : str
        File and place in it, for messages.
    """

    values: Json
    where: str

    def has(self, key: str) -> bool:
        """Return whether there is a value other than null."""
        return self.values.get(key) is not None

    def text(self, key: str) -> str:
        """Return a text that is not empty."""
        value = self.values.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, "text")
        return value

    def whole(self, key: str) -> int:
        """Return a whole number; text of one counts, as some exports write ids."""
        value = self.values.get(key)
        if isinstance(value, str) and value.isdecimal() and len(value) < _SHOWN:
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(key, "a whole number")
        return value

    def number(self, key: str) -> float:
        """Return a finite number."""
        value = self.values.get(key)
        if value is None or not is_number(value):
            raise self.wrong(key, "a finite number")
        return float(value)

    def flag(self, key: str) -> bool:
        """Return whether a value is there and neither 0 nor false."""
        return self.values.get(key) in (1, True)

    def items(self, key: str) -> list[JsonValue]:
        """Return a list."""
        value = self.values.get(key)
        if not isinstance(value, list):
            raise self.wrong(key, "a list")
        return value

    def entry(self, key: str) -> Entry:
        """Return an object."""
        value = self.values.get(key)
        if not isinstance(value, dict):
            raise self.wrong(key, "an object")
        return Entry(value, f"{self.where}, {key}")

    def entries(self, key: str, what: str) -> list[Entry]:
        """Return a list of objects, each with `what` and its number as its place."""
        found = []
        for number, value in enumerate(self.items(key), 1):
            where = f"{self.where}, {what} {number}"
            if not isinstance(value, dict):
                raise InputError(f"{where}: expected an object, got {_shown(value)}")
            found.append(Entry(value, where))
        return found

    def wrong(self, key: str, expected: str) -> InputError:
        """Return the error of a value that is missing or of another kind."""
        got = _shown(self.values[key]) if key in self.values else "nothing"
        return InputError(f"{self.where}: expected {key!r} to be {expected}, got {got}")


def read_entry(path: Path) -> Entry:
    """Return the object in a JSON file.

    Raises
    ------
    InputError
        It cannot be read, is no JSON, or holds something else.
    """
    value = read_json(path)
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected a JSON object, got {_shown(value)}")
    return Entry(value, str(path))


def read_entries(path: Path, what: str) -> list[Entry]:
    """Return the objects of a JSON file that holds a list."""
    value = read_json(path)
    if not isinstance(value, list):
        raise InputError(f"{path}: expected a list of {what}s, got {_shown(value)}")
    return Entry({what: value}, str(path)).entries(what, what)


def read_json(path: Path) -> JsonValue:
    """Return what a JSON file holds; see `read_entry`."""
    try:
        return json.loads(path.read_bytes())
    except RecursionError as error:
        raise InputError(
            f"cannot read {path}: expected JSON of annotations, got brackets nested "
            "too deeply"
        ) from error
    except (OSError, ValueError, MemoryError) as error:
        raise InputError(f"cannot read {path}: {reason_of(error)}") from error


def is_number(value: JsonValue) -> bool:
    """Return whether a JSON value is a finite number that fits a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _shown(value: JsonValue) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return shortened(repr(value), _SHOWN)
