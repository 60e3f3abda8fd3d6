"""Pages that stand alone: templates, one style sheet, numbers as a reader has them.

HTML is escaped; what is missing is empty, or said to be not measured.
"""

from __future__ import annotations

import importlib.util
from importlib import resources
from typing import TYPE_CHECKING

from edgeseg.devices import MissingDriverError

if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN = "not measured"
_SHARED = "edgeseg.converter.reporting"  # has what templates include


def require_page_packages() -> None:
    """Raise, importing nothing, where the plots' or the page's package is missing."""
    missing = [n for n in ("matplotlib", "jinja2") if not importlib.util.find_spec(n)]
    if missing:
        raise MissingDriverError(
            f"the page needs the workstation extra ({', '.join(missing)} not "
            "installed): pip install 'edgeseg[convert]'"
        )


def render_page(package: str, name: str, **values: object) -> str:
    """Fill a Jinja template; the functions below are its filters.

    Parameters
    ----------
    package : str
        The package that holds it.
    name : str
        Its file. What it includes is beside this module, such as ``style.html``.
    **values
        What the template shows.
    """
    from jinja2 import ChainableUndefined, Environment, FunctionLoader

    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(lambda included: _read(_SHARED, included)),
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "points": points,
        "size": size_text,
        "figure": figure,
    }
    return environment.from_string(_read(package, name)).render(**values)


def percent(share: object, digits: int = 2) -> str:
    """Return a share in percent.

    Examples
    --------
    >>> percent(0.98765), percent(None)
    ('98.77 %', 'not measured')
    """
    return _number(share, lambda value: f"{100 * value:.{digits}f} %")


def points(difference: object, digits: int = 2) -> str:
    """Return a difference of two shares in percentage points, with its sign.

    Examples
    --------
    >>> points(0.00711), points(-0.0009)
    ('+0.71', '-0.09')
    """
    return _number(difference, lambda value: f"{100 * value:+.{digits}f}")


def size_text(count: object) -> str:
    """Return a number of bytes for a reader.

    Examples
    --------
    >>> size_text(977_432), size_text(512)
    ('977.4 kB', '512 B')
    """
    return _number(count, _bytes)


def figure(value: object, digits: int = 3) -> str:
    """Return a number with a few significant digits, or what is no number as it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return UNKNOWN if not _is_given(value) else str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.{digits}g}"


def _read(package: str, name: str) -> str:
    return (resources.files(package) / name).read_text("utf-8")


def _bytes(count: float) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count:.0f} B"


def _number(value: object, text: Callable[[float], str]) -> str:
    return text(value) if isinstance(value, (int, float)) else UNKNOWN


def _is_given(value: object) -> bool:
    from jinja2 import Undefined

    return value is not None and not isinstance(value, Undefined)
