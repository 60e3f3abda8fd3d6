"""Tables of any flatbuffer schema, written by the numbers of their fields.

A table is said as a dict from a field's number in the schema to its value; what the
value is decides how it is stored. It serves schemas that no maintained package has
generated classes for.

References
----------
"FlatBuffers internals", https://flatbuffers.dev/internals/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from edgeseg.converter.frameworks import need

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import FlatBuilder

Table: TypeAlias = "dict[int, Field]"


@dataclass(frozen=True)
class Byte:
    """A number of one byte: of an enumeration, or the kind of a union's table."""

    value: int


@dataclass(frozen=True)
class UInt:
    """An unsigned number of 32 bits."""

    value: int


_Referred: TypeAlias = "str | bytes | Table | tuple[float, ...] | list[Table]"
Field: TypeAlias = "Byte | UInt | _Referred"


def flatbuffer(root: Table, identifier: bytes) -> bytes:
    """Return a flatbuffer with a table at its root.

    Parameters
    ----------
    root : dict of int to value
        By number of field: text, bytes (a vector that starts at a multiple of 16), a
        `Byte`, an `UInt`, another table, a tuple of floats (float32) or a list of
        tables.
    identifier : bytes
        Four bytes that name the schema.
    """
    builder = need("flatbuffers").Builder(1024)
    builder.Finish(_table(builder, root), file_identifier=identifier)
    return bytes(builder.Output())


def _table(builder: FlatBuilder, fields: Table) -> int:
    """Write a table behind all that it refers to; return where it is."""
    places = {
        number: _written(builder, value)
        for number, value in fields.items()
        if not isinstance(value, (Byte, UInt))
    }
    builder.StartObject(max(fields, default=-1) + 1)
    for number, value in fields.items():
        if isinstance(value, Byte):
            builder.PrependUint8Slot(number, value.value, 0)
        elif isinstance(value, UInt):
            builder.PrependUint32Slot(number, value.value, 0)
        else:
            builder.PrependUOffsetTRelativeSlot(number, places[number], 0)
    return int(builder.EndObject())


def _written(builder: FlatBuilder, value: _Referred) -> int:
    if isinstance(value, str):
        return int(builder.CreateString(value))
    if isinstance(value, dict):
        return _table(builder, value)
    if isinstance(value, bytes):
        builder.StartVector(1, len(value), 16)
        for byte in reversed(value):
            builder.PrependUint8(byte)
    elif isinstance(value, tuple):
        builder.StartVector(4, len(value), 4)
        for number in reversed(value):
            builder.PrependFloat32(number)
    else:
        tables = [_table(builder, table) for table in value]
        builder.StartVector(4, len(tables), 4)
        for table in reversed(tables):
            builder.PrependUOffsetTRelative(table)
    return int(builder.EndVector())
