"""What stands in a record beside its figures: model, hash, protocol, versions."""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from edgeseg.devices.plain_text import encodable
from edgeseg.runtime import Segmenter
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.pictures.atomic import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json
    from edgeseg.runtime import Overrides


def open_model(
    model: Path, device: str, threads: int | None, overrides: Overrides
) -> Segmenter:
    """Open a ``.tflite`` file on a device, or a float Keras model on Keras.

    Parameters
    ----------
    model : Path
        Its suffix says which.
    device, threads
        See `Segmenter.open`; without meaning for Keras.
    overrides : Overrides
        What to use instead of what the file says.
    """
    if model.suffix in (".keras", ".h5", ".hdf5") or model.is_dir():
        from edgeseg.converter.conversion.keras_device import open_keras

        return open_keras(model, overrides)
    return Segmenter.open(model, device=device, threads=threads, overrides=overrides)


def conditions(model: Path, segmenter: Segmenter) -> Json:
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
        "model_sha256": model_sha256(model),
        "protocol": "one confusion matrix, void dropped, own size; "
        f"{segmenter.head.kind} head, {manifest.fit}, {manifest.resize}",
        "device": device,
        "versions": {
            "edgeseg": version("edgeseg"),
            "numpy": version("numpy"),
            device["runtime"]: device["version"],
            **_backend_version(device.get("backend")),
        },
    }


def is_record(path: Path | None) -> bool:
    """Return whether a file is a record: JSON with a model's hash and versions."""
    try:
        values = {} if path is None else json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(values, dict) and {"model_sha256", "versions"} <= values.keys()


def _backend_version(backend: str | None) -> dict[str, str]:
    """Return the version of a Keras backend that is in use, by its module's name."""
    module = sys.modules.get(backend or "")
    found = getattr(module, "__version__", None)
    return {} if backend is None or found is None else {backend: str(found)}


def model_sha256(model: Path) -> str:
    """Return a model's hash; of a SavedModel folder it is that of its graph."""
    return sha256(model / "saved_model.pb" if model.is_dir() else model)


def content_sha256(model: Path) -> str:
    """Return a hash over all that a model holds: of a folder, over every file."""
    if not model.is_dir():
        return sha256(model)
    files = sorted(path for path in model.rglob("*") if path.is_file())
    hashes = [
        [encodable(path.relative_to(model).as_posix()), sha256(path)] for path in files
    ]
    return hashlib.sha256(json.dumps(hashes).encode()).hexdigest()


def write_record(path: Path, record: Json) -> None:
    """Write a record as JSON, keys sorted, whole or not at all."""
    write_text(path, json_text(record, indent=2, sort_keys=True) + "\n")
