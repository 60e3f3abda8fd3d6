"""JSON as every reader takes it: ASCII, no half characters, no NaN."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from edgeseg.devices.plain_text import encodable

if TYPE_CHECKING:
    from edgeseg.devices.types import JsonValue


def json_text(
    values: object, *, indent: int | None = None, sort_keys: bool = False
) -> str:
    r"""Return values as JSON text, without a line feed at the end.

    All that edgeseg writes for other programs is made here. A file name whose bytes
    are no UTF-8 has ``\xNN`` in place of each such byte, see `encodable`. A number
    that is none (NaN, infinite) is null: JSON has no such numbers.

    Parameters
    ----------
    values : JSON values
        Keys of objects may be numbers too.
    indent : int or None
        Spaces of a level; None writes one line without spaces.
    sort_keys : bool
        Order objects by their keys.

    Examples
    --------
    >>> json_text({"name": "caf\udce9.png", "miou": float("nan")})
    '{"name":"caf\\\\xe9.png","miou":null}'
    """
    separators = (",", ":") if indent is None else None
    try:
        text = json.dumps(
            values,
            indent=indent,
            sort_keys=sort_keys,
            separators=separators,
            allow_nan=False,
        )
    except ValueError:
        text = ""
    if text and r"\ud" not in text:  # no half character, nor half of a pair
        return text
    return json.dumps(
        _cleaned(values), indent=indent, sort_keys=sort_keys, separators=separators
    )


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {_key(key): _cleaned(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _key(key: object) -> object:
    return encodable(key) if isinstance(key, str) else key


def is_deeper(value: JsonValue, levels: int) -> bool:
    """Return whether more than so many lists and objects stand in each other.

    Examples
    --------
    >>> is_deeper([[1]], 2), is_deeper({"a": [[1]]}, 2)
    (False, True)
    """
    layer = [value]
    for _ in range(levels + 1):
        held: list[JsonValue] = []
        for each in layer:
            if isinstance(each, dict):
                held += each.values()
            elif isinstance(each, list):
                held += each
        layer = held
    return bool(layer)
