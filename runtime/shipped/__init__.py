"""What comes with the package: models by name, and photos to try them.

``animals.tflite`` finds people and six animals, ``voc.tflite`` the classes of PASCAL
VOC; where they come from and what they score is in ``converter/shipped/MODEL_CARD.md``.
`edgeseg.runtime.shipped.catalogue` has that in short.
"""

from edgeseg.runtime.shipped._paths import (
    MODEL_NAME,
    MODEL_NAMES,
    find_model,
    is_shipped,
    model_file,
    photo_folder,
)

__all__ = [
    "MODEL_NAME",
    "MODEL_NAMES",
    "find_model",
    "is_shipped",
    "model_file",
    "photo_folder",
]
