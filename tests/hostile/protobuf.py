"""Protocol buffers, changed field by field, without a schema.

References
----------
https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostile.damage import damage
from hostile.texts import hostile_text

if TYPE_CHECKING:
    from random import Random

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_NUMBERS = (
    0,
    1,
    2,
    3,
    5,
    7,
    100,
    127,
    128,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63,
    2**64 - 1,
)
_DEEPEST = 20


@dataclass
class Field:
    """A field of a message.

    Parameters
    ----------
    number, wire : int
        Its number and wire type.
    value : int, bytes or list of Field
        A list where its bytes read as a message.
    """

    number: int
    wire: int
    value: int | bytes | list[Field]


def hostile_protobuf(data: bytes, rng: Random) -> bytes:
    """Return a message with one to four changes, now and then of its bytes alone."""
    if rng.random() < 0.25:
        return damage(data, rng)
    fields = parse(data)
    if fields is None:
        return damage(data, rng)
    for _ in range(rng.choice((1, 1, 2, 4))):
        _change(fields, rng)
    return encode(fields)


def parse(data: bytes, depth: int = 0) -> list[Field] | None:
    """Return the fields of a message, None where the bytes are none."""
    fields, at = [], 0
    while at < len(data):
        key, at = _varint(data, at)
        if key is None or not 0 < key >> 3 < 1 << 29:
            return None
        wire = key & 7
        value: int | bytes | list[Field] | None
        if wire == _VARINT:
            value, at = _varint(data, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
            value, at = data[at : at + size], at + size
        elif wire == _BYTES:
            length, at = _varint(data, at)
            if length is None or at + length > len(data):
                return None
            raw, at = data[at : at + length], at + length
            inner = parse(raw, depth + 1) if depth < _DEEPEST and len(raw) > 1 else None
            value = raw if inner is None else inner
        else:
            return None
        if value is None or at > len(data):
            return None
        fields.append(Field(key >> 3, wire, value))
    return fields


def encode(fields: list[Field]) -> bytes:
    """Return the bytes of a message."""
    parts = []
    for field in fields:
        parts.append(_to_varint(field.number << 3 | field.wire))
        value = field.value
        if field.wire == _VARINT and isinstance(value, int):
            parts.append(_to_varint(value))
            continue
        raw = encode(value) if isinstance(value, list) else value
        assert isinstance(raw, bytes)
        parts.append(_to_varint(len(raw)) + raw if field.wire == _BYTES else raw)
    return b"".join(parts)


def _change(fields: list[Field], rng: Random) -> None:
    while True:
        if not fields:
            return
        index = rng.randrange(len(fields))
        field = fields[index]
        if isinstance(field.value, list) and field.value and rng.random() < 0.85:
            fields = field.value
            continue
        break
    draw = rng.random()
    if draw < 0.15:
        del fields[index]
    elif draw < 0.3:
        fields[index:index] = [field] * rng.choice((1, 1, 3, 200))
    elif draw < 0.4:
        fields[index] = Field(rng.choice((1, 2, 5, 16, 99)), field.wire, field.value)
    elif draw < 0.45:
        other = rng.randrange(len(fields))
        fields[index], fields[other] = fields[other], field
    else:
        fields[index] = Field(field.number, field.wire, _instead(field, rng))


def _instead(field: Field, rng: Random) -> int | bytes | list[Field]:
    if isinstance(field.value, int):
        return rng.choice((*_NUMBERS, field.value ^ 1 << rng.randrange(8)))
    if field.wire != _BYTES:
        return rng.randbytes(8 if field.wire == _FIXED64 else 4)
    if isinstance(field.value, list):
        return [] if rng.random() < 0.5 else [*field.value, *field.value]
    if rng.random() < 0.4:
        return hostile_text(rng)[:100_000].encode("utf-8", "replace")
    return damage(field.value, rng)


def _varint(data: bytes, at: int) -> tuple[int | None, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    return None, at


def _to_varint(value: int) -> bytes:
    out = bytearray()
    value &= 2**64 - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
