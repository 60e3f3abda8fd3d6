"""Figures as a reader has them: percent, points, bytes; what is not there is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN = "not measured"


def percent(share: Any, digits: int = 2) -> str:
    """Return a share in percent.

    Examples
    --------
    >>> percent(0.98765), percent(None)
    ('98.77 %', 'not measured')
    """
    return _number(share, lambda value: f"{100 * value:.{digits}f} %")


def points(difference: Any, digits: int = 2) -> str:
    """Return a difference of two shares in percentage points, with its sign.

    Examples
    --------
    >>> points(0.00711), points(-0.0009)
    ('+0.71', '-0.09')
    """
    return _number(difference, lambda value: f"{100 * value:+.{digits}f}")


def size_text(count: Any) -> str:
    """Return a number of bytes for a reader.

    Examples
    --------
    >>> size_text(977_432), size_text(512)
    ('977.4 kB', '512 B')
    """
    return _number(count, _bytes)


def figure(value: Any, digits: int = 3) -> str:
    """Return a number with a few significant digits, or what is no number as it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return UNKNOWN if not _is_given(value) else str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.{digits}g}"


def _bytes(count: float) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count:.0f} B"


def _number(value: Any, text: Callable[[float], str]) -> str:
    return text(value) if isinstance(value, (int, float)) else UNKNOWN


def _is_given(value: Any) -> bool:
    from jinja2 import Undefined

    return value is not None and not isinstance(value, Undefined)
