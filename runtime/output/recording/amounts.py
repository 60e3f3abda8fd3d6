"""Times and sizes as they are typed: ``10m``, ``500MB``, ``1%``."""

from __future__ import annotations

import math
import re

from edgeseg.devices import InputError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {
    **{"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12},
    **{"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40},
}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")
TIME_WORDS = "seconds, minutes, hours or days such as 30s, 10m, 2h, 7d"
SIZE_WORDS = "bytes such as 500MB or 20GB"


def seconds(text: str) -> float | None:
    """Return a time in seconds, None where the text is none.

    Examples
    --------
    >>> seconds("10m"), seconds("1.5h"), seconds("500MB")
    (600.0, 5400.0, None)
    """
    return _scaled(text, _SECONDS)


def size_bytes(text: str) -> int | None:
    """Return a size in bytes, None where the text is none.

    Examples
    --------
    >>> size_bytes("500MB"), size_bytes("1GiB"), size_bytes("10m")
    (500000000, 1073741824, None)
    """
    found = _scaled(text, _BYTES)
    return None if found is None else int(found)


def share(option: str, text: str) -> float:
    """Return a part of the picture, 0..1, of ``1%`` or ``0.01``.

    Examples
    --------
    >>> share("area", "2.5%"), share("area", "0.5")
    (0.025, 0.5)
    """
    number = text.removesuffix("%")
    try:
        found = float(number) / (100 if text.endswith("%") else 1)
    except ValueError:
        found = math.nan
    if not 0 <= found <= 1:
        raise InputError(
            f"{option}: expected a part of the picture such as 1% or 0.01, got {text!r}"
        )
    return found


def _scaled(text: str, units: dict[str, int]) -> float | None:
    found = _AMOUNT.fullmatch(text)
    if found is None or found[2].lower() not in units:
        return None
    return float(found[1]) * units[found[2].lower()]


def bytes_text(count: float) -> str:
    """Return bytes for people.

    Examples
    --------
    >>> bytes_text(999), bytes_text(1_500_000), bytes_text(2e10)
    ('999 bytes', '1.5 MB', '20 GB')
    """
    for unit, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count:.0f} bytes"
