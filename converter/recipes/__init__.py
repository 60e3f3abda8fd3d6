"""Quantization settings as data.

A recipe is a JSON file whose name says what it makes:

``int8``
    Weights and activations int8. The default.
``int8-mixed``
    The same, but operators that the quantizer does not know stay in float.
``int16x8``
    Activations int16, weights int8.
``float16``
    Weights stored as float16, everything computed in float.
``dynamic-int8``
    Weights int8, activations float; a runtime may quantize them as it goes.
``float32``
    Nothing quantized: the reference that others are held against.

The grammar is ``ACTIVATIONS[xWEIGHTS][-VARIANT]``, or ``dynamic-WEIGHTS``. In the file,
``rules`` are ai-edge-quantizer's own (each for the operators that match), ``ranges``
says which ranges of a calibration are used (``central``, ``extremes`` or null),
``rounding`` whether weights are rounded for the inputs that they see, ``activations``
which types the operators of the result may write.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

__all__ = ["Recipe", "load_recipe", "recipe_names"]


@dataclass(frozen=True)
class Recipe:
    """One recipe.

    Parameters
    ----------
    name : str
        Of its file.
    about : str
        What it makes, one sentence.
    activations : tuple of str
        Types that the result's operators may write.
    ranges : {"central", "extremes"} or None
        Which ranges of a calibration are used.
    rounding : bool
        Whether weights are rounded for the inputs that they see.
    rules : tuple of dict
        In the form of ai-edge-quantizer; none leaves the model in float.
    """

    name: str
    about: str
    activations: tuple[str, ...]
    ranges: str | None
    rounding: bool
    rules: tuple[Json, ...]

    @property
    def needs_calibration(self) -> bool:
        """Whether ranges of activations are needed."""
        return self.ranges is not None


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


def load_recipe(name: str) -> Recipe:
    """Return a recipe.

    Raises
    ------
    InputError
        There is no recipe of that name.

    Examples
    --------
    >>> load_recipe("int8").activations
    ('int8',)
    """
    if name not in recipe_names():
        raise InputError(f"unknown recipe {name!r}; known: {', '.join(recipe_names())}")
    file = resources.files("edgeseg.converter.recipes") / f"{name}.json"
    values: Json = json.loads(file.read_text("utf-8"))
    return Recipe(
        name=name,
        about=values["about"],
        activations=tuple(values["activations"]),
        ranges=values["ranges"],
        rounding=values["rounding"],
        rules=tuple(values["rules"]),
    )
