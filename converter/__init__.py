"""Keras in, int8 TFLite or float ONNX out, with the proof beside it."""

from edgeseg.converter.conversion.conversion import Conversion, convert
from edgeseg.converter.conversion.parity import Parity
from edgeseg.converter.conversion.request import Scoring
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.recipes import load_recipe, recipe_names
from edgeseg.runtime.accuracy.matching import Matching

__all__ = [
    "Conversion",
    "Loading",
    "Matching",
    "Parity",
    "Scoring",
    "convert",
    "load_recipe",
    "recipe_names",
]
