"""Where the files that ship are."""

from __future__ import annotations

from pathlib import Path

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
    return Path(__file__).parent
