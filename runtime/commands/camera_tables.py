"""The ``[[camera]]`` tables of a configuration: what each camera has for itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    import click

    from edgeseg.devices.types import Json

TABLES = "camera"  # key of the tables in the file
_CAMERAS = "cameras"  # key of the arguments of all tables
# a camera's name is in the addresses of its page, beside these
_NAME = re.compile(r"(?!(api|metrics|healthz)$)[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_OF_A_CAMERA = frozenset({"source", "output", "zone", "line", "in", "outside"})
_OF_THE_WHOLE = frozenset(
    {
        *("model", "device", "threads", "web", "json", "unlock-privacy"),
        *("labels", "normalize", "bgr", "stretch", "skip-existing", "output-name"),
    }
)


def cameras_in(arguments: Mapping[str, Any]) -> dict[str, Json]:
    """Return the arguments of each camera of a configuration, by its name.

    Parameters
    ----------
    arguments : mapping of str to object
        From `load_config`; without ``[[camera]]`` tables the result is empty.
    """
    return dict(arguments.get(_CAMERAS, {}))


def with_cameras(
    path: Path,
    values: Json,
    cameras: object,
    known: Mapping[str, click.Parameter],
    checked: Callable[[str, Json, Mapping[str, click.Parameter]], Json],
) -> Json:
    """Return the arguments of a configuration with ``[[camera]]`` tables.

    Parameters
    ----------
    path : Path
        The configuration file.
    values : mapping of str to object
        What stands above the tables.
    cameras : object
        The tables.
    known : mapping of str to click.Parameter
        The command's parameters by their keys.
    checked : callable
        Given where a table is, the table and the parameters that it may hold, returns
        its arguments.

    Raises
    ------
    InputError
        A table or key is wrong, or at the wrong place.
    """
    for key in values:
        if key.replace("_", "-") in _OF_A_CAMERA:
            raise InputError(
                f"{path}: {key}: belongs into the [[camera]] tables, as there are some"
            )
    tables = cameras if isinstance(cameras, list) else []
    if not tables or not all(isinstance(table, dict) for table in tables):
        raise InputError(f"{path}: camera: expected one or more tables [[camera]]")
    own = {name: known[name] for name in known if name not in _OF_THE_WHOLE}
    found: dict[str, Json] = {}
    for number, table in enumerate(tables, 1):
        name = _name(path, number, table, found)
        where = f"{path}: camera {name}"
        rest = {key: value for key, value in table.items() if key != "name"}
        for key in rest:
            if key.replace("_", "-") in _OF_THE_WHOLE:
                raise InputError(f"{where}: {key}: belongs above the [[camera]] tables")
        found[name] = checked(where, rest, own)
        if "source" not in found[name]:
            raise InputError(f"{where}: the key 'source' is missing")
    arguments = checked(str(path), values, known)
    first = next(iter(found.values()))
    return {**arguments, "source": first["source"], _CAMERAS: found}


def _name(path: Path, number: int, table: Json, taken: Collection[str]) -> str:
    name = table.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        came = "nothing" if name is None else shortened(repr(name), 60)
        raise InputError(
            f"{path}: camera {number}: name: expected letters, digits, - and _, such "
            f"as 'front-door', got {came}"
        )
    if name in taken:
        raise InputError(
            f"{path}: two cameras are called {name!r}: expected a name for each"
        )
    return name
