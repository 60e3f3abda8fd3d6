"""Where the files that ship are."""

from __future__ import annotations

from pathlib import Path

from edgeseg.devices.first_inference import trust

MODEL_NAME = "animals"  # where nobody names another
MODEL_NAMES = (MODEL_NAME, "voc")


def model_file(name: str = MODEL_NAME) -> Path:
    """Return the path of the int8 model of a name."""
    return folder() / f"{name}.tflite"


def find_model(model: Path | str) -> Path:
    """Return the path of a model that is given by its path or by its name.

    Every function that takes a model asks here.

    Parameters
    ----------
    model : Path or str
        A path, or the name of a model that ships or is installed; a file or folder of
        that name in the current folder comes first.

    Examples
    --------
    >>> find_model("animals") == model_file(), find_model("my.tflite").name
    (True, 'my.tflite')
    """
    if is_shipped(model):
        path = model_file(str(model))
        trust(path)
        return path
    is_through_link = Path(model).parent.name == "current"
    if Path(model).exists() and not is_through_link:
        return Path(model)
    # a run of a file, or of a model that ships, does without
    from edgeseg.runtime.installation.store import find_installed

    return find_installed(model) or Path(model)


def is_shipped(model: Path | str) -> bool:
    """Return whether this is the name of a model that ships, and no path."""
    return str(model) in MODEL_NAMES and not Path(model).exists()


def photo_folder() -> Path:
    """Return the folder of the sample photos, a person and a cat."""
    return folder() / "photos"


def folder() -> Path:
    """Return the folder of all that ships for the runtime."""
    # the package is never run from a ZIP file: the interpreter's own libraries
    # could not be loaded from one
    return Path(__file__).parent
