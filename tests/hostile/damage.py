"""Bytes, damaged: what a bad disk, a cut transfer or a stranger makes of a file."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_NUMBERS = (
    0, 1, 2, 3, 7, 15, 16, 17, 31, 32, 127, 128, 255, 256, 257, 1023, 4096, 32767,
    32768, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF,
    0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF,
)  # fmt: skip
_LONGEST = 1 << 16  # bytes that one step adds


def damage(data: bytes, rng: Random, others: tuple[bytes, ...] = ()) -> bytes:
    """Return data with one to six damages.

    Parameters
    ----------
    data : bytes
        What to damage.
    rng : Random
        Decides.
    others : tuple of bytes
        Data of the same kind that pieces are taken from.
    """
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        rng.choice(_STEPS)(changed, rng, others)
    return bytes(changed)


def place(length: int, rng: Random) -> int:
    """Return a place in data: more often near its ends, where headers are."""
    if length <= 0:
        return 0
    near = min(length, 256)
    return rng.choice(
        (
            rng.randrange(length),
            rng.randrange(length),
            rng.randrange(near),
            rng.randrange(min(length, 24)),
            length - 1 - rng.randrange(near),
        )
    )


def _span(data: bytearray, rng: Random) -> slice:
    start = place(len(data), rng)
    return slice(start, start + rng.choice((1, 2, 4, 8, 16, 100, 1000, len(data))))


def _flip(data: bytearray, rng: Random, others: tuple[bytes, ...]) -> None:
    if data:
        data[place(len(data), rng)] ^= 1 << rng.randrange(8)


def _byte(data: bytearray, rng: Random, others: tuple[bytes, ...]) -> None:
    if data:
        data[place(len(data), rng)] = rng.randrange(256)


def _number(data: bytearray, rng: Random, others: tuple[bytes, ...]) -> None:
    width = rng.choice((1, 2, 4, 8))
    value = rng.choice(_NUMBERS) & ((1 << 8 * width) - 1)
    start = place(len(data), rng)
    data[start : start + width] = value.to_bytes(width, rng.choice(("little", "big")))


def _float(data: bytearray, rng: Random, others: tuple[bytes, ...]) -> None:
    values = (0.0, -1.0, 1e-45, 3e38, float("inf"), float("-inf"), float("nan"))
    start = place(len(data), rng)
    data[start : start + 4] = struct.pack("<f", rng.choice(values))


def _cut(data: bytearray, rng: Random, others: tuple[bytes, ...]) -> None:
    del data[place(len(data), rng) :]


def _remove(data: bytearray, rng: Random, others: tuple[bytes, ...]) -> None:
    del data[_span(data, rng)]


def _zero(data: bytearray, rng: Random, others: tuple[bytes, ...]) -> None:
    span = _span(data, rng)
    data[span] = bytes(len(data[span]))


def _insert(data: bytearray, rng: Random, others: tuple[bytes, ...]) -> None:
    start = place(len(data), rng)
    data[start:start] = rng.randbytes(rng.choice((1, 2, 4, 8, 64, 4096)))


def _repeat(data: bytearray, rng: Random, others: tuple[bytes, ...]) -> None:
    span = _span(data, rng)
    piece = bytes(data[span])[:_LONGEST]
    data[span.start : span.start] = piece * rng.choice((1, 2, 10))


def _move(data: bytearray, rng: Random, others: tuple[bytes, ...]) -> None:
    piece = bytes(data[_span(data, rng)])
    start = place(len(data), rng)
    data[start : start + len(piece)] = piece


def _splice(data: bytearray, rng: Random, others: tuple[bytes, ...]) -> None:
    other = rng.choice(others) if others else bytes(data)
    start = place(len(data), rng)
    data[start:] = other[place(len(other), rng) :]


_STEPS: tuple[Callable[[bytearray, Random, tuple[bytes, ...]], None], ...] = (
    _flip,
    _flip,
    _byte,
    _byte,
    _number,
    _number,
    _number,
    _float,
    _cut,
    _remove,
    _zero,
    _insert,
    _repeat,
    _move,
    _splice,
)
