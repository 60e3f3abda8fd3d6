"""The format of a path, and the model in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import ModelError
from edgeseg.devices.plugins import PluginFolder

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.converter.loading.format import Format, RawModel
    from edgeseg.converter.loading.loading import Loading

FORMATS = PluginFolder("model format", "edgeseg.converter.loading.formats")


def read_model(path: Path, loading: Loading) -> RawModel:
    """Read a model file of whichever format.

    Parameters
    ----------
    path : Path
        A file or folder.
    loading : Loading
        How.

    Raises
    ------
    ModelError
        There is no such file, no format claims it, or it cannot be used.
    InputError
        An option means nothing to this file.
    """
    if not path.exists():
        raise ModelError(f"cannot read model {path}: no such file")
    for name in FORMATS.names():
        candidate: Format = FORMATS.load(name)()
        if candidate.claims(path):
            return candidate.read(path, loading)
    raise _unknown(path)


def _unknown(path: Path) -> ModelError:
    if path.is_dir():
        return ModelError(
            f"the folder {path} is no SavedModel: expected saved_model.pb in it"
        )
    if path.suffix.lower() in (".h5", ".hdf5"):
        return ModelError(
            f"{path} is not an HDF5 file: truncated, or another format? Save the model "
            "anew with model.save('NAME.keras')"
        )
    return ModelError(
        f"{path} is not a .keras file (a ZIP archive): truncated, or another "
        "format? Save the model with model.save('NAME.keras')"
    )
