"""Keras in, int8 TFLite or float ONNX out, with the proof beside it."""

from edgeseg.converter.conversion import Conversion, convert
from edgeseg.converter.loading.load import Loading
from edgeseg.converter.recipes import load_recipe, recipe_names
from edgeseg.converter.request import Scoring
from edgeseg.converter.verify import Parity

__all__ = [
    "Conversion",
    "Loading",
    "Parity",
    "Scoring",
    "convert",
    "load_recipe",
    "recipe_names",
]
