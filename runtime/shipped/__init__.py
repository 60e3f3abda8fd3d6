"""What comes with the package: a model of people and animals, and photos to try it.

``animals.tflite`` finds background, person, cat, dog, horse, cow and sheep; where it
comes from and what it scores is in ``converter/shipped/MODEL_CARD.md``.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

__all__ = ["MODEL_NAME", "model_file", "photo_folder"]

MODEL_NAME = "animals"


def model_file() -> Path:
    """Return the path of the int8 model."""
    return _here() / f"{MODEL_NAME}.tflite"


def photo_folder() -> Path:
    """Return the folder of the sample photos, a person and a cat."""
    return _here() / "photos"


def _here() -> Path:
    # the package is never run from a ZIP file: the interpreter's own libraries
    # could not be loaded from one
    return Path(str(resources.files("edgeseg.runtime.shipped")))
