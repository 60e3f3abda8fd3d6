"""The float Keras model of people and animals and the ranges that make it int8.

``MODEL_CARD.md`` beside them says what it was trained on, how, and what it scores; the
int8 result is in ``runtime/shipped``.
"""

from edgeseg.converter.shipped._paths import (
    find_keras,
    keras_file,
    labels_file,
    ranges_file,
)

__all__ = ["find_keras", "keras_file", "labels_file", "ranges_file"]
