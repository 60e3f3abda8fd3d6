"""Values in a network's description that are no class: tensors, shapes, slices.

JSON has no word for them, so Keras writes entries with names such as ``__numpy__``.
Each is taken apart and put together anew; what has anything else in it is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.types import Json

# Types of numbers, as numpy names them; texts and Python objects are no part of one
_NUMBERS = """
    bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 bfloat16 float32
    float64
"""


def is_plain(name: object) -> bool:
    """Return whether an entry of that name is a value, and names no class.

    Parameters
    ----------
    name : object
        The entry's ``class_name``.
    """
    return isinstance(name, str) and name in _KINDS


def plain(entry: Json) -> Json | None:
    """Return a value's entry put together anew, or None where it is no such value.

    Parameters
    ----------
    entry : dict
        Whose ``class_name`` `is_plain`.

    Examples
    --------
    >>> plain({"class_name": "__numpy__", "config": {"value": [1], "dtype": "int8"}})
    {'class_name': '__numpy__', 'config': {'value': [1], 'dtype': 'int8'}}
    >>> plain({"class_name": "__numpy__", "config": {"value": "x", "dtype": "object"}})
    """
    return _KINDS[entry["class_name"]](entry)


def _tensor(entry: Json) -> Json | None:
    inner = entry.get("config")
    if not isinstance(inner, dict) or not _is_number_type(inner.get("dtype")):
        return None
    if not _are_numbers(inner.get("value")):
        return None
    return _made(entry, value=inner["value"], dtype=inner["dtype"])


def _keras_tensor(entry: Json) -> Json | None:
    inner = entry.get("config")
    if not isinstance(inner, dict) or not _is_number_type(inner.get("dtype")):
        return None
    shape, history = inner.get("shape"), inner.get("keras_history")
    if not _is_shape(shape) or not isinstance(history, list):
        return None
    if [type(one) for one in history] != [str, int, int]:
        return None
    return _made(entry, shape=shape, dtype=inner["dtype"], keras_history=history)


def _slice(entry: Json) -> Json | None:
    inner = entry.get("config")
    ends = ("start", "stop", "step")
    if not isinstance(inner, dict) or not all(_is_end(inner.get(end)) for end in ends):
        return None
    return _made(entry, **{end: inner.get(end) for end in ends})


def _is_end(value: object) -> bool:
    """Return whether a slice may end there: at a number, or one that is computed."""
    if isinstance(value, dict):
        return value.get("class_name") in ("__keras_tensor__", "__tensor__")
    return value is None or isinstance(value, int)


def _ellipsis(entry: Json) -> Json:
    return _made(entry)


def _sequence(entry: Json) -> Json | None:
    items = entry.get("items")
    if not isinstance(items, list) or not _are_numbers(items):
        return None
    return {"class_name": entry["class_name"], "items": items}


def _made(entry: Json, **config: object) -> Json:
    return {"class_name": entry["class_name"], "config": config}


def _is_number_type(value: object) -> bool:
    return isinstance(value, str) and value in _NUMBERS.split()


def _is_shape(value: object) -> bool:
    return isinstance(value, list) and all(
        one is None or isinstance(one, int) for one in value
    )


def _are_numbers(value: object) -> bool:
    if isinstance(value, list):
        return all(map(_are_numbers, value))
    return value is None or isinstance(value, (int, float))


_KINDS: dict[str, Callable[[Json], Json | None]] = {
    "TensorShape": _sequence,
    "__ellipsis__": _ellipsis,
    "__keras_tensor__": _keras_tensor,
    "__numpy__": _tensor,
    "__slice__": _slice,
    "__tensor__": _tensor,
    "__tuple__": _sequence,
}
