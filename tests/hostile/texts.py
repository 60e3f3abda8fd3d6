"""Texts and numbers that programs stumble over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostile.places import VICTIM

if TYPE_CHECKING:
    from random import Random

OUTSIDE = f"../{VICTIM}"  # as seen from the folder of a case
TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "\n",
    "\r\n",
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\x9b2J",
    "\u202eevil",
    "\u2028",
    "\ud800",
    "\udcff",
    "\U0001f600" * 3,
    "e\u0301" * 20,
    "%s%s%s%n",
    "{0}{x}",
    "$(touch x)",
    "`id`",
    "'; DROP TABLE",
    "<script>alert(1)</script>",
    "&amp;\"'<>",
    "../" * 12 + "etc/passwd",
    OUTSIDE,
    "/dev/zero",
    "/dev/stdin",
    "/proc/self/mem",
    "-",
    "--help",
    "NaN",
    "Infinity",
    "1e999",
    "-0",
    "0x10",
    "9" * 400,
    "true",
    "null",
    "[" * 100_000,
    '{"a":' * 50_000,
    "x" * 1_000_000,
    "ab\n" * 20_000,
)


def hostile_text(rng: Random) -> str:
    """Return a text that no program expects."""
    if rng.random() < 0.2:
        return "".join(chr(rng.choice(_POINTS)) for _ in range(rng.randrange(1, 40)))
    return rng.choice(TEXTS)


_POINTS = (*range(0x180), 0x2028, 0x202E, 0xD800, 0xDFFF, 0xFFFD, 0xFFFF, 0x10FFFF)
