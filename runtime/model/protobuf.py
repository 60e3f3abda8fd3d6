"""Protocol-buffer messages without their package: fields by number, nothing else.

The coding is that of protobuf.dev/programming-guides/encoding: each field is a number
and a kind in one varint, then a varint, 4 or 8 bytes, or a length and that many bytes.
Groups, which ended with proto2, are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_LONGEST = 10  # bytes of a varint of 64 bits


class MalformedError(ValueError):
    """The bytes are no message, or not the one that was expected."""


class Message:
    """The fields of one message; those inside it are read when they are asked for.

    Parameters
    ----------
    content : bytes or memoryview
        The whole message.

    Raises
    ------
    MalformedError
        It is damaged.

    Examples
    --------
    >>> Message(bytes_field(3, b"Clip")).text(3)
    'Clip'
    """

    def __init__(self, content: bytes | memoryview) -> None:
        self._values: dict[int, list[int | memoryview]] = {}
        for number, value, _ in split(content):
            self._values.setdefault(number, []).append(value)

    def number(self, field: int, default: int = 0) -> int:
        """Return the last integer of a field, as protobuf readers do."""
        values = self._values.get(field, [default])
        if not isinstance(values[-1], int):
            raise MalformedError(f"field {field} is no integer")
        return values[-1]

    def texts(self, field: int) -> list[str]:
        """Return all texts of a field."""
        try:
            return [str(value, "utf-8") for value in self._bytes(field)]
        except UnicodeDecodeError as error:
            raise MalformedError(f"field {field} is no text") from error

    def text(self, field: int) -> str:
        """Return the last text of a field, ``""`` without one."""
        return self.texts(field)[-1] if field in self._values else ""

    def messages(self, field: int) -> list[Message]:
        """Return all messages of a field."""
        return [Message(value) for value in self._bytes(field)]

    def __contains__(self, field: int) -> bool:
        return field in self._values

    def _bytes(self, field: int) -> list[memoryview]:
        values = self._values.get(field, [])
        found = [value for value in values if isinstance(value, memoryview)]
        if len(found) != len(values):
            raise MalformedError(f"field {field} is an integer")
        return found


def split(
    content: bytes | memoryview,
) -> Iterator[tuple[int, int | memoryview, memoryview]]:
    """Yield each field: number, value, and the bytes that it takes as a whole.

    Numbers of 4 and 8 bytes are given as bytes.

    Raises
    ------
    MalformedError
        The message is damaged; fields before that were given.
    """
    view, place = memoryview(content), 0
    while place < len(view):
        start = place
        key, place = _varint(view, place)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, place = _varint(view, place)
            yield number, value, view[start:place]
            continue
        if kind == _BYTES:
            length, place = _varint(view, place)
        elif kind in (_EIGHT, _FOUR):
            length = 8 if kind == _EIGHT else 4
        else:
            raise MalformedError(f"unknown kind of field at byte {start}")
        if not number or place + length > len(view):
            raise MalformedError(f"a field at byte {start} goes past the end")
        place += length
        yield number, view[place - length : place], view[start:place]


def bytes_field(number: int, content: bytes) -> bytes:
    """Return a field of bytes, text or a message, as it stands in a message."""
    return _packed(number << 3 | _BYTES) + _packed(len(content)) + content


def _varint(view: memoryview, place: int) -> tuple[int, int]:
    """Return a number of 7 bits a byte, lowest first, and the place behind it."""
    value = 0
    for shift, byte in enumerate(view[place : place + _LONGEST]):
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, place + shift + 1
    raise MalformedError(f"a number at byte {place} has no end")


def _packed(value: int) -> bytes:
    packed = bytearray()
    while value > 0x7F:
        packed.append(value & 0x7F | 0x80)
        value >>= 7
    packed.append(value)
    return bytes(packed)
