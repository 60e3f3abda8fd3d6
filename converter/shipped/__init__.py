"""The float Keras model of people and animals and the ranges that make it int8.

``MODEL_CARD.md`` beside them says what it was trained on, how, and what it scores; the
int8 result is in ``runtime/shipped``.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from edgeseg.runtime.shipped import MODEL_NAME

__all__ = ["keras_file", "labels_file", "ranges_file"]


def keras_file() -> Path:
    """Return the path of the float Keras model."""
    return _here() / f"{MODEL_NAME}.keras"


def ranges_file() -> Path:
    """Return the path of what calibration found: a conversion needs no photos then."""
    return _here() / f"{MODEL_NAME}.ranges.json"


def labels_file() -> Path:
    """Return the path of the class names, one a line."""
    return _here() / "labels.txt"


def _here() -> Path:
    return Path(str(resources.files("edgeseg.converter.shipped")))
