"""The float Keras models that ship, and the ranges that make one int8 without photos.

``MODEL_CARD.md`` beside them says what they were trained on, how, and what they score;
the int8 results are in ``runtime/shipped``.
"""

from edgeseg.converter.shipped._paths import (
    find_keras,
    keras_file,
    labels_file,
    labels_of,
    ranges_file,
)

__all__ = ["find_keras", "keras_file", "labels_file", "labels_of", "ranges_file"]
