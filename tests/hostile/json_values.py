"""JSON values, changed where it hurts; written as text that may be no JSON at all."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from hostile.damage import damage
from hostile.texts import hostile_text

if TYPE_CHECKING:
    from random import Random

_NUMBERS = (
    0, 1, -1, 2, 255, 256, 257, 65536, 2**31 - 1, 2**31, -(2**31), 2**53, 2**63, 2**64,
    10**30, 10**400, 0.5, -0.0, 1e-45, 1e-300, 1e300, float("inf"), float("-inf"),
    float("nan"), 1.0,
)  # fmt: skip


def hostile_json(value: Any, rng: Random) -> bytes:
    """Return a JSON value as text, after changes to it and, at times, to the text."""
    changed = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        changed = change(changed, rng)
    try:
        text = json.dumps(changed, ensure_ascii=rng.random() < 0.7)
    except (RecursionError, ValueError):
        text = "[" * 50_000
    data = text.encode("utf-8", "surrogatepass")
    draw = rng.random()
    if draw < 0.15:
        return damage(data, rng)
    if draw < 0.2:
        return rng.choice(
            (
                b"\xef\xbb\xbf" + data,
                data.decode("utf-8", "replace").encode("utf-16"),
                data + data,
                b"",
                b"\xff\xfe",
            )
        )
    return data


def change(value: Any, rng: Random) -> Any:
    """Return a JSON value with one part changed; `value` itself may change too."""
    if not isinstance(value, (dict, list)) or not value or rng.random() < 0.05:
        return _instead(value, rng)
    holder, key = value, _some_key(value, rng)
    while isinstance(holder[key], (dict, list)) and holder[key] and rng.random() < 0.8:
        holder = holder[key]
        key = _some_key(holder, rng)
    _change_in(holder, key, rng)
    return value


def _change_in(holder: Any, key: Any, rng: Random) -> None:
    draw = rng.random()
    if draw < 0.6:
        holder[key] = _instead(holder[key], rng)
    elif draw < 0.75:
        del holder[key]
    elif isinstance(holder, list):
        times = rng.choice((0, 2, 300, 5000))
        holder[:] = [*holder, holder[key]] if draw < 0.85 else (holder * times)[:20_000]
    elif draw < 0.85:
        holder[hostile_text(rng)[:2000]] = holder.pop(key)
    else:
        holder[rng.choice(("", "x", "__class__", key))] = _instead(None, rng)


def _some_key(holder: Any, rng: Random) -> Any:
    keys = list(holder) if isinstance(holder, dict) else range(len(holder))
    return rng.choice(keys)


def _instead(value: Any, rng: Random) -> Any:
    """Return something for a value: of its type more often than not."""
    if rng.random() < 0.5:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return rng.choice(_NUMBERS)
        if isinstance(value, str):
            return hostile_text(rng)
    return rng.choice(
        (
            None,
            True,
            False,
            rng.choice(_NUMBERS),
            rng.choice(_NUMBERS),
            hostile_text(rng),
            hostile_text(rng),
            [],
            {},
            [value],
            {"value": value},
            [[1, 2], [3]],
            [0] * 300,
            _nested(rng.choice((10, 900))),
        )
    )


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value
