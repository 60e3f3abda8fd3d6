"""``.keras``: a ZIP of the network as JSON and its weights."""

from __future__ import annotations

import json
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.converter._frameworks import need, third_party
from edgeseg.converter.loading.formats._base import (
    UNREADABLE,
    Format,
    RawModel,
    cannot_load,
    refuse_options,
)
from edgeseg.converter.loading.trust import admit
from edgeseg.devices import ModelError
from edgeseg.devices._litert import one_line

if TYPE_CHECKING:
    from edgeseg.converter.loading.load import Loading

_BROKEN_ZIP = (
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,  # encrypted
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"


class KerasFile(Format):
    """The format of ``model.save("NAME.keras")``."""

    name = "keras"

    def claims(self, path: Path) -> bool:
        """Return whether the file is a whole ZIP archive."""
        return path.is_file() and zipfile.is_zipfile(path)

    def read(self, path: Path, loading: Loading) -> RawModel:
        """Return the model, once it is known to run no code that is not trusted."""
        refuse_options(path, loading)
        admitted = admit(path, _config(path), trust=loading.trust)
        with tempfile.TemporaryDirectory() as folder:
            # Keras goes by the suffix; the config may be another than the file's
            copy = Path(folder) / "model.keras"
            if admitted.changed:
                _write_with(path, copy, admitted.config)
            else:
                copy.symlink_to(path.resolve())
            try:
                model = _load(copy, admitted.custom_objects)
            except (*UNREADABLE, *_BROKEN_ZIP) as error:
                raise cannot_load(path, error) from error
        return RawModel(model, notes=admitted.notes)


PLUGIN = KerasFile


def _load(path: Path, custom_objects: dict[str, Any]) -> Any:
    keras = need("keras")
    with third_party():
        return keras.models.load_model(
            path, custom_objects=custom_objects, compile=False, safe_mode=True
        )


def _config(path: Path) -> dict[str, Any]:
    """Return the network of the archive, checked no further than being JSON."""
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read(_CONFIG))
            archive.getinfo(_WEIGHTS)
            broken = archive.testzip()
    except KeyError as error:
        raise ModelError(
            f"{path} is not a .keras file: the archive lacks {_CONFIG} or {_WEIGHTS}"
        ) from error
    except _BROKEN_ZIP as error:
        raise ModelError(
            f"{path} is not a .keras file: the archive is damaged ({one_line(error)})"
        ) from error
    if broken is not None:
        raise ModelError(
            f"{path} is not a .keras file: the archive is damaged ({broken})"
        )
    if not isinstance(config, dict):
        raise ModelError(f"{path} is not a .keras file: {_CONFIG} holds no network")
    return config


def _write_with(source: Path, target: Path, config: dict[str, Any]) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename == _CONFIG:
                content = json.dumps(config).encode()
            new.writestr(info.filename, content)
