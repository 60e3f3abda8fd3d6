"""What the revision code of a Raspberry Pi says.

References
----------
Raspberry Pi documentation, "Raspberry Pi revision codes" (new-style codes).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NEW_STYLE = 1 << 23
_SMALLEST = 256 << 20  # bytes; the code holds how often it is doubled
_CHIPS = ("BCM2835", "BCM2836", "BCM2837", "BCM2711", "BCM2712")
_TYPES = {
    0x00: "A",
    0x01: "B",
    0x02: "A+",
    0x03: "B+",
    0x04: "2B",
    0x06: "CM1",
    0x08: "3B",
    0x09: "Zero",
    0x0A: "CM3",
    0x0C: "Zero W",
    0x0D: "3B+",
    0x0E: "3A+",
    0x10: "CM3+",
    0x11: "4B",
    0x12: "Zero 2 W",
    0x13: "400",
    0x14: "CM4",
    0x15: "CM4S",
    0x17: "5",
    0x18: "CM5",
    0x19: "500",
    0x1A: "CM5 Lite",
}


@dataclass(frozen=True)
class Revision:
    """A decoded revision code: type such as ``"4B"``, chip, and memory in bytes."""

    model: str | None
    soc: str | None
    memory_bytes: int


def decode_revision(code: str) -> Revision | None:
    """Return what a code such as ``"c03115"`` says, None for old codes and garbage.

    Parameters
    ----------
    code : str
        Hexadecimal, as behind ``Revision`` in ``/proc/cpuinfo``. Codes from before
        the Raspberry Pi 2 carry no fields: no such board has a 64-bit processor.

    Examples
    --------
    >>> decode_revision("c03115")
    Revision(model='4B', soc='BCM2711', memory_bytes=4294967296)
    >>> decode_revision("000e") is None
    True
    """
    if not re.fullmatch(r"[0-9a-fA-F]{1,8}", code):
        return None
    bits = int(code, 16)
    if not bits & _NEW_STYLE:
        return None
    chip = bits >> 12 & 0xF
    return Revision(
        model=_TYPES.get(bits >> 4 & 0xFF),
        soc=_CHIPS[chip] if chip < len(_CHIPS) else None,
        memory_bytes=_SMALLEST << (bits >> 20 & 0x7),
    )
