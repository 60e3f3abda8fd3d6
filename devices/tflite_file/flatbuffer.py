"""Tables and vectors of a FlatBuffer, each looked up only inside the file.

References
----------
FlatBuffers, "Internals": https://flatbuffers.dev/internals
"""

from __future__ import annotations

import math
import struct
from functools import cache
from typing import NamedTuple

_ONE = {form: struct.Struct(f"<{form}").unpack_from for form in "bBhHiIqQf"}
# numpy looks through a longer vector faster
_FEW = 16


class DamagedError(ValueError):
    """A file's own structure is broken; the message says where."""


@cache
def _numbers(form: str, count: int) -> struct.Struct:
    return struct.Struct(f"<{count}{form}")


class Extent(NamedTuple):
    """How many numbers a vector has, and the least and the greatest of them.

    Where one is no number (NaN), both are.
    """

    count: int = 0
    least: float = 0
    most: float = 0


class Reader:
    """Reads numbers of a file, and knows each vtable that it has met.

    Parameters
    ----------
    content : bytes
        The file; what follows the flatbuffer, as an archive, does not matter.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._slots: dict[int, tuple[int, ...]] = {}
        # no two tables are in one place: a file that names more goes in circles
        self._left = len(content) // 4

    def root(self) -> Table:
        """Return the table that the first four bytes lead to."""
        return self.table(self.number("I", 0))

    def number(self, form: str, at: int) -> int:
        """Return one number; `form` is that of `struct`, without byte order."""
        try:
            value: int = _ONE[form](self.content, at)[0]
        except struct.error:
            raise self._outside(at) from None
        return value

    def numbers(self, form: str, at: int) -> tuple[int, ...]:
        """Return the numbers of a vector."""
        count = self.number("I", at)
        if at + count > len(self.content):
            raise self._outside(at + count)
        try:
            return _numbers(form, count).unpack_from(self.content, at + 4)
        except struct.error:
            raise self._outside(at + 4 + count) from None

    def extent(self, form: str, at: int) -> Extent:
        """Return the extent of a vector's numbers."""
        count = self.number("I", at)
        if count <= _FEW:
            values = self.numbers(form, at)
            if any(value != value for value in values):
                return Extent(count, math.nan, math.nan)
            return Extent(count, min(values, default=0), max(values, default=0))
        import numpy as np

        dtype = np.dtype(f"<{form}")
        end = at + 4 + count * dtype.itemsize
        if end > len(self.content):
            raise self._outside(end)
        many = np.frombuffer(self.content, dtype, count, at + 4)
        return Extent(count, many.min().item(), many.max().item())

    def table(self, at: int) -> Table:
        """Return the table at a place."""
        self._left -= 1
        if self._left < 0:
            raise DamagedError("it names more tables than it has room for")
        vtable = at - self.number("i", at)
        slots = self._slots.get(vtable)
        if slots is None:
            self._slots[vtable] = slots = self._vtable(vtable)
        return Table(self, at, slots)

    def _vtable(self, at: int) -> tuple[int, ...]:
        if at < 0:
            raise DamagedError(f"an offset leads to byte {at}")
        size = self.number("H", at)
        if size < 4 or size % 2 or at + size > len(self.content):
            raise DamagedError(f"what should say where fields are has {size} bytes")
        slots: tuple[int, ...] = _numbers("H", size // 2 - 2).unpack_from(
            self.content, at + 4
        )
        return slots

    def _outside(self, at: int) -> DamagedError:
        return DamagedError(
            f"an offset leads to byte {at}, the file has {len(self.content)} (was it "
            "cut short?)"
        )


class Table:
    """One table; fields are asked for by their number in the schema.

    Parameters
    ----------
    reader : Reader
        Of the file.
    at : int
        First byte.
    slots : tuple of int
        Offset of each field from there, 0 for one that is left out.
    """

    __slots__ = ("_at", "_reader", "_slots")

    def __init__(self, reader: Reader, at: int, slots: tuple[int, ...]) -> None:
        self._reader = reader
        self._at = at
        self._slots = slots

    def place(self, field: int) -> int:
        """Return where a field is, 0 where it is left out."""
        slots = self._slots
        skip = slots[field] if field < len(slots) else 0
        return self._at + skip if skip else 0

    def number(self, field: int, form: str, default: int = 0) -> int:
        """Return a scalar."""
        slots = self._slots
        skip = slots[field] if field < len(slots) else 0
        return self._reader.number(form, self._at + skip) if skip else default

    def numbers(self, field: int, form: str = "i") -> tuple[int, ...]:
        """Return a vector of numbers, empty where it is left out."""
        at = self._target(field)
        return self._reader.numbers(form, at) if at else ()

    def extent(self, field: int, form: str) -> Extent:
        """Return the extent of a vector of numbers."""
        at = self._target(field)
        return self._reader.extent(form, at) if at else Extent()

    def span(self, field: int) -> tuple[int, int] | None:
        """Return first byte and length of a vector of bytes, None where left out."""
        at = self._target(field)
        if not at:
            return None
        count = self._reader.number("I", at)
        if at + 4 + count > len(self._reader.content):
            raise DamagedError(
                f"{count} bytes at byte {at} reach behind the file's end"
            )
        return at + 4, count

    def text(self, field: int) -> bytes:
        """Return a string as bytes: nothing says that they are UTF-8."""
        span = self.span(field)
        return b"" if span is None else self._reader.content[span[0] : sum(span)]

    def table(self, field: int) -> Table | None:
        """Return a table that is part of this one, None where it is left out."""
        at = self._target(field)
        return self._reader.table(at) if at else None

    def tables(self, field: int) -> list[Table]:
        """Return a vector of tables, empty where it is left out."""
        at = self._target(field)
        if not at:
            return []
        skips = self._reader.numbers("I", at)
        return [
            self._reader.table(at + 4 + 4 * index + int(skip))
            for index, skip in enumerate(skips)
        ]

    def _target(self, field: int) -> int:
        slots = self._slots
        skip = slots[field] if field < len(slots) else 0
        if not skip:
            return 0
        at = self._at + skip
        return at + self._reader.number("I", at)
