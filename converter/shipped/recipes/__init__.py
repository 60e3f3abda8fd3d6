"""How the models that ship were made, a module each; `RECIPES` has them by name."""

from edgeseg.converter.shipped.recipes import animals, voc
from edgeseg.converter.shipped.recipes.recipe import Recipe

__all__ = ["RECIPES", "Recipe"]

RECIPES = {module.RECIPE.name: module.RECIPE for module in (animals, voc)}
