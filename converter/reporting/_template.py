"""Page templates: HTML escaped, what is missing empty, one style sheet for all."""

from __future__ import annotations

from importlib import resources
from typing import Any

from edgeseg.converter.reporting._wording import figure, percent, points, size_text

_SHARED = "edgeseg.converter.reporting"


def load_template(package: str, name: str) -> Any:
    """Return a Jinja template with the wording of `_wording` as filters.

    Parameters
    ----------
    package : str
        The package that holds it.
    name : str
        Its file. What it includes lies beside this module, such as ``style.html``.
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
    return environment.from_string(_read(package, name))


def _read(package: str, name: str) -> str:
    return (resources.files(package) / name).read_text("utf-8")
