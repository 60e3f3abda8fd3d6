"""Quantization settings as data.

A recipe is a JSON file in the form of ai-edge-quantizer: a list of rules, each for
the operators that match. Its name says what it makes: ``int8`` (weights and
activations int8), ``int16x8`` (activations int16, weights int8), ``float16``
(weights stored as float16), ``dynamic-int8`` (weights int8, activations float).
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from edgeseg.devices import InputError

__all__ = ["load_recipe", "recipe_names"]


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that come with the package.

    Examples
    --------
    >>> "int8" in recipe_names()
    True
    """
    folder = resources.files("edgeseg.converter.recipes")
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(n[: -len(".json")] for n in names if n.endswith(".json")))


def load_recipe(name: str) -> list[dict[str, Any]]:
    """Return a recipe's rules.

    Raises
    ------
    InputError
        There is no recipe of that name.
    """
    if name not in recipe_names():
        raise InputError(f"unknown recipe {name!r}; known: {', '.join(recipe_names())}")
    file = resources.files("edgeseg.converter.recipes") / f"{name}.json"
    rules: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
    return rules
