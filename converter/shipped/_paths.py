"""Paths of the files that ship."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from edgeseg.runtime.shipped import MODEL_NAME, is_shipped


def keras_file() -> Path:
    """Return the path of the float Keras model."""
    return _here() / f"{MODEL_NAME}.keras"


def find_keras(model: Path | str) -> Path:
    """Return the path of a Keras model that is given by its path or by its name.

    As `edgeseg.runtime.shipped.find_model`, for what takes Keras models.
    """
    return keras_file() if is_shipped(model) else Path(model)


def ranges_file() -> Path:
    """Return the path of what calibration found: a conversion needs no photos then."""
    return _here() / f"{MODEL_NAME}.ranges.json"


def labels_file() -> Path:
    """Return the path of the class names, one a line."""
    return _here() / "labels.txt"


def _here() -> Path:
    return Path(str(resources.files("edgeseg.converter.shipped")))
