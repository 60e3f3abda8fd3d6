"""Zones and lines as a command line or a TOML file declares them.

::

    [[zone]]                        # --zone "door=0.1,0.2 0.4,0.2 0.4,0.9;dwell_s=10"
    name = "door"
    points = [[0.1, 0.2], [0.4, 0.2], [0.4, 0.9]]
    dwell_s = 10
"""

from __future__ import annotations

import difflib
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, TypeVar

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import shortened
from edgeseg.runtime.zones.line import Line
from edgeseg.runtime.zones.zone import Zone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.devices.types import Json

_P = TypeVar("_P", Zone, Line)

_POINTS = "a list of points such as [[0.1, 0.2], [0.4, 0.2], [0.4, 0.9]]"
_LISTS = {"classes": "a list of class names", "directions": "a list of two names"}
_TEXTS = ("name", "anchor")


def zone_of(declared: object) -> Zone:
    """Return a zone from a table, or from ``NAME=X,Y X,Y X,Y[;KEY=VALUE]...``.

    Raises
    ------
    InputError
        It is something else; the message names the key and what was expected.

    Examples
    --------
    >>> zone_of("door=0.1,0.2 0.4,0.2 0.4,0.9;classes=person,dog;dwell_s=10").classes
    ('person', 'dog')
    """
    return _made(Zone, declared)


def line_of(declared: object) -> Line:
    """Return a line from a table, or from ``NAME=X,Y X,Y[;KEY=VALUE]...``.

    Raises
    ------
    InputError
        It is something else; the message names the key and what was expected.

    Examples
    --------
    >>> line_of({"name": "gate", "points": [[0.5, 0], [0.5, 1]]}).directions
    ('in', 'out')
    """
    return _made(Line, declared)


def _made(made: type[_P], declared: object) -> _P:
    kind = made.__name__.lower()
    if isinstance(declared, made):
        return declared
    if isinstance(declared, str):
        return _of_table(made, kind, _table_of(kind, declared))
    if isinstance(declared, dict):
        return _of_table(made, kind, declared)
    raise InputError(
        f"{kind}: expected a table [[{kind}]] with name and points, got {declared!r}"
    )


def _table_of(kind: str, text: str) -> dict[str, object]:
    """Return the table that a text of the command line stands for."""
    place, *options = text.split(";")
    name, equals, corners = place.partition("=")
    if not equals:
        raise InputError(
            f"{kind}: expected NAME=X,Y X,Y ... and perhaps ;KEY=VALUE, got {text!r}"
        )
    table: dict[str, object] = {"name": name.strip()}
    table["points"] = [
        _pair(f"{kind} {name.strip()}", each) for each in corners.split()
    ]
    for option in options:
        key, equals, value = (part.strip() for part in option.partition("="))
        if not equals:
            raise InputError(
                f"{kind} {name.strip()}: expected ;KEY=VALUE, got {option.strip()!r}"
            )
        table[key] = _value(key, value)
    return table


def _pair(where: str, text: str) -> list[float]:
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"{where}: points: expected X,Y, got {text!r}") from error
    return [x, y]


def _value(key: str, text: str) -> object:
    """Return what TOML would have for a key; what is no number stays text."""
    if key in _LISTS:
        return [part.strip() for part in text.split(",") if part.strip()]
    if key in _TEXTS:
        return text
    try:
        return float(text)
    except ValueError:
        return text


def _of_table(made: type[_P], kind: str, table: Mapping[str, object]) -> _P:
    known = {each.name: each for each in fields(made)}
    name = table.get("name")
    where = f"{kind} {shortened(name, 40)}" if isinstance(name, str) else kind
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(
                f"{where}: unknown key {shortened(str(key), 40)!r}{hint or _all(known)}"
            )
    for key, each in known.items():
        if key not in table and each.default is MISSING:
            example = _POINTS if key == "points" else "what events call it"
            raise InputError(f"{where}: {key}: expected {example}, got none")
    values: Json = {key: _checked(where, key, table[key]) for key in table}
    return made(**values)


def _all(known: Mapping[str, object]) -> str:
    return f"; known: {', '.join(known)}"


def _checked(where: str, key: str, value: object) -> object:
    if key == "points":
        return _points(where, value)
    if key in _LISTS:
        expected = _LISTS[key]
        fits = isinstance(value, list) and all(isinstance(v, str) for v in value)
    elif key in _TEXTS:
        expected, fits = "text", isinstance(value, str)
    else:
        expected, fits = "a number", _is_number(value)
    if not fits:
        raise InputError(f"{where}: {key}: expected {expected}, got {value!r}")
    return tuple(value) if isinstance(value, list) else value


def _points(where: str, value: object) -> tuple[tuple[float, float], ...]:
    points = []
    for each in value if isinstance(value, list) else [value]:
        if not (
            isinstance(each, list) and len(each) == 2 and all(map(_is_number, each))
        ):
            raise InputError(f"{where}: points: expected {_POINTS}, got {each!r}")
        points.append((float(each[0]), float(each[1])))
    return tuple(points)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
