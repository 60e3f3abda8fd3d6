"""What comes with the package: a model of people and animals, and photos to try it.

``animals.tflite`` finds background, person, cat, dog, horse, cow and sheep; where it
comes from and what it scores is in ``converter/shipped/MODEL_CARD.md``.
"""

from edgeseg.runtime.shipped._paths import (
    MODEL_NAME,
    find_model,
    is_shipped,
    model_file,
    photo_folder,
)

__all__ = ["MODEL_NAME", "find_model", "is_shipped", "model_file", "photo_folder"]
