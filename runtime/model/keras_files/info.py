"""What a Keras file is and which command takes it."""

from __future__ import annotations

import dataclasses
import shlex
from typing import TYPE_CHECKING

from edgeseg.runtime.model.embedded import sha256

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json
    from edgeseg.runtime.model.keras_files.network import KerasDescription

_ARCHIVE = b"PK\x03\x04"  # how a .keras file begins
_HDF5 = b"\x89HDF\r\n\x1a\n"
_GRAPH = "saved_model.pb"  # what a SavedModel folder holds
_FORMATS = {
    "keras": ".keras archive",
    "hdf5": "HDF5 file",
    "savedmodel": "TensorFlow SavedModel",
}
_HOLDS = {
    "model": "a whole model",
    "weights": "weights without their network",
    "release-weights": "weights of the public Keras DeepLabv3+ release",
    None: "not looked into (pip install h5py)",
}
_WRITERS = {"keras": "Keras", "tensorflow": "TensorFlow"}


def keras_info(path: Path) -> Json | None:
    """Return what a Keras file says of itself, as JSON values.

    TensorFlow and Keras are not needed, and nothing that the file holds is run.

    Parameters
    ----------
    path : Path
        A ``.keras`` or ``.h5`` file, or a SavedModel folder, known by its content.

    Returns
    -------
    dict or None
        ``file``, ``bytes``, ``sha256`` (of a folder: of its graph), ``keras`` (see
        `KerasDescription`) and ``next``, the command that takes it, None where none
        does; or None, where it is something else.

    Raises
    ------
    ModelError
        It is damaged.
    """
    found = _read(path)
    if found is None:
        return None
    whole = path.is_dir()
    files = [f for f in path.rglob("*") if f.is_file()] if whole else [path]
    return {
        "file": path.name or path.resolve().name,
        "bytes": sum(file.stat().st_size for file in files),
        "sha256": sha256(path / _GRAPH if whole else path),
        "keras": dataclasses.asdict(found),
        "next": _next(path, found),
    }


def keras_text(found: Json) -> str:
    """Return what `keras_info` found, as lines for a terminal."""
    keras = found["keras"]
    writers = [f"{n} {keras[k]}" for k, n in _WRITERS.items() if keras[k]]
    by = f", written by {' and '.join(writers)}" if writers else ""
    network = [keras["network"], f"{keras['layers']} layers" if keras["layers"] else ""]
    shown = ", ".join(filter(None, network))
    return "\n".join(
        [
            f"{found['file']}  {found['bytes']:,} bytes  sha256 {found['sha256']}",
            f"{_FORMATS[keras['format']]}{by}: {_HOLDS[keras['holds']]}"
            f"{f' ({shown})' if shown else ''}",
            *(_input_text(entry) for entry in keras["inputs"]),
            f"to run it: {found['next']}"
            if found["next"]
            else "no command takes it: load the weights into their model and save it "
            "whole, model.save('NAME.keras')",
        ]
    )


def _read(path: Path) -> KerasDescription | None:
    """Read a file or folder by its content; only the reader that fits is loaded."""
    if (path / _GRAPH).is_file():
        from edgeseg.runtime.model.keras_files.savedmodel import read_savedmodel

        return read_savedmodel(path / _GRAPH)
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            begin = file.read(8)
    except OSError:
        return None  # whoever opens it as a model says so
    if begin == _HDF5:
        from edgeseg.runtime.model.keras_files.hdf5 import read_hdf5

        return read_hdf5(path)
    if begin.startswith(_ARCHIVE):
        from edgeseg.runtime.model.keras_files.archive import read_archive

        return read_archive(path)
    return None


def _next(path: Path, found: KerasDescription) -> str | None:
    if found.holds == "weights":
        return None
    name = shlex.quote(str(path))
    target = shlex.quote(f"{path.stem or 'model'}.tflite")
    return (
        f"edgeseg convert {name} --calibration photos/ --labels labels.txt -o {target}"
    )


def _input_text(entry: Json) -> str:
    sides = "x".join("?" if side is None else str(side) for side in entry["shape"])
    return f"input   {entry['name'] or '?'}  {sides} {entry['dtype'] or '?'}"
