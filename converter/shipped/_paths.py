"""Paths of the files that ship."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from edgeseg.runtime.shipped import MODEL_NAME, MODEL_NAMES, is_shipped


def keras_file(name: str = MODEL_NAME) -> Path:
    """Return the path of the float Keras model of a name."""
    return _here() / f"{name}.keras"


def find_keras(model: Path | str) -> Path:
    """Return the path of a Keras model that is given by its path or by its name.

    As `edgeseg.runtime.shipped.find_model`, for what takes Keras models.
    """
    return keras_file(str(model)) if is_shipped(model) else Path(model)


def ranges_file(name: str = MODEL_NAME) -> Path:
    """Return the path of what calibration found: a conversion needs no photos then."""
    return _here() / f"{name}.ranges.json"


def labels_file(name: str = MODEL_NAME) -> Path:
    """Return the path of the class names, one a line."""
    return _here() / f"{name}.labels.txt"


def labels_of(keras: Path) -> Path | None:
    """Return the class names of a float model that ships, None for any other file."""
    names = (name for name in MODEL_NAMES if keras == keras_file(name))
    return next(map(labels_file, names), None)


def _here() -> Path:
    return Path(str(resources.files("edgeseg.converter.shipped")))
