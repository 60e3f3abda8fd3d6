"""What a record says beside its figures: model, hash, protocol, versions."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from edgeseg.runtime import Segmenter
from edgeseg.runtime.modelfile import sha256

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.runtime import Overrides


def open_model(
    model: Path, device: str, threads: int | None, overrides: Overrides
) -> Segmenter:
    """Open a ``.tflite`` file on a device, or a float Keras model on Keras.

    Parameters
    ----------
    model : Path
        The suffix tells which.
    device, threads
        See `Segmenter.open`; without meaning for Keras.
    overrides : Overrides
        What to use instead of what the file says.
    """
    if model.suffix in (".keras", ".h5", ".hdf5") or model.is_dir():
        from edgeseg.converter.keras_device import open_keras

        return open_keras(model, overrides)
    return Segmenter.open(model, device=device, threads=threads, overrides=overrides)


def conditions(model: Path, segmenter: Segmenter) -> dict[str, Any]:
    """Return what figures of a model must be read with, as JSON values.

    Parameters
    ----------
    model : Path
        The file.
    segmenter : Segmenter
        Open on it.
    """
    device = segmenter.device.describe()
    manifest = segmenter.manifest
    return {
        "model": model.name,
        "model_sha256": sha256(model),
        "protocol": "one confusion matrix, void dropped, own size; "
        f"{segmenter.head.kind} head, {manifest.fit}, {manifest.resize}",
        "device": device,
        "versions": {
            "edgeseg": version("edgeseg"),
            "numpy": version("numpy"),
            device["runtime"]: device["version"],
        },
    }
