"""What is made of a frame whose classes are known, chosen by one string."""

from edgeseg.runtime.effects._base import Effect, Scene
from edgeseg.runtime.effects._open import EFFECTS, open_effect

__all__ = ["EFFECTS", "Effect", "Scene", "open_effect"]
