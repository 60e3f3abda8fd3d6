"""``.keras``: a ZIP of the network as JSON and its weights."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.loading.format import (
    Format,
    RawModel,
    cannot_load,
    network_of,
    refuse_options,
    unreadable,
    wrong_values,
)
from edgeseg.converter.loading.mending.mend import mend
from edgeseg.converter.loading.trust.admission import admit
from edgeseg.converter.loading.trust.weights_file import check_weights_file
from edgeseg.devices import ModelError, OutputError
from edgeseg.devices.archives import DAMAGED, check_methods, open_archive, read_entry
from edgeseg.devices.plain_text import one_line, reason_of

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import KerasModel
    from edgeseg.converter.loading.format import Loading
    from edgeseg.converter.loading.trust.admission import Admitted
    from edgeseg.devices.types import Json

# Members of the archive
CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
_TODAY = "3"
_LONGEST = 2**26  # bytes of JSON; the longest network of Keras' applications has 2**20


class KerasFile(Format):
    """The format of ``model.save("NAME.keras")``.

    Keras is given an archive of its own: the network written anew, and the weights
    once they were looked at.
    """

    name = "keras"

    def claims(self, path: Path) -> bool:
        """Return whether the file is a whole ZIP archive, from its first byte on."""
        if not path.is_file() or not zipfile.is_zipfile(path):
            return False
        with path.open("rb") as file:  # a .tflite file may have an archive behind it
            return file.read(2) == b"PK"

    def read(self, path: Path, loading: Loading) -> RawModel:
        """Return the model, once it is known to run no code that is not trusted."""
        refuse_options(path, loading)
        config, version = _config(path)
        with wrong_values(path):
            mended = mend(path, config, version)
            admitted = admit(
                path, mended.config, trust=loading.trust, code=loading.custom_objects
            )
        objects = {**mended.custom_objects, **admitted.custom_objects}
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "model.keras"  # Keras goes by the suffix
            try:
                _write(path, copy, admitted)
                model = _load(copy, objects)
            except (ModelError, OutputError):
                raise
            except (*unreadable(), *DAMAGED) as error:
                raise cannot_load(path, error) from error
        return RawModel(model, notes=(*mended.notes, *admitted.notes))


PLUGIN = KerasFile


def _load(path: Path, custom_objects: Json) -> KerasModel:
    keras = need("keras")
    with third_party():
        return keras.models.load_model(
            path, custom_objects=custom_objects, compile=False, safe_mode=True
        )


def _config(path: Path) -> tuple[Json, str]:
    """Return the network of an archive, and the Keras that wrote it."""
    try:
        with open_archive(path) as archive:
            config = network_of(read_entry(archive, CONFIG, _LONGEST))
            version = _version(archive)
            archive.getinfo(WEIGHTS)
            check_methods(archive)
            broken = archive.testzip()
    except KeyError as error:
        raise ModelError(
            f"{path} is not a .keras file: the archive lacks {CONFIG} or {WEIGHTS}"
        ) from error
    except DAMAGED as error:
        raise ModelError(
            f"{path} is not a .keras file: the archive is damaged ({one_line(error)})"
        ) from error
    if broken is not None:
        raise ModelError(
            f"{path} is not a .keras file: the archive is damaged ({broken})"
        )
    if not isinstance(config, dict):
        raise ModelError(f"{path} is not a .keras file: {CONFIG} holds no network")
    return config, version


def _version(archive: zipfile.ZipFile) -> str:
    """Return the Keras that an archive says it is of; without a word, today's."""
    if METADATA not in archive.namelist():
        return _TODAY
    said = network_of(read_entry(archive, METADATA, _LONGEST))
    version = said.get("keras_version") if isinstance(said, dict) else None
    return version if isinstance(version, str) else _TODAY


def _write(source: Path, target: Path, admitted: Admitted) -> None:
    """Write an archive of the network and the weights, and of a trusted file all."""
    weights = target.with_name(WEIGHTS)
    with open_archive(source) as old:
        try:
            with old.open(WEIGHTS) as stored, weights.open("wb") as file:
                shutil.copyfileobj(stored, file)
        except OSError as error:
            raise _no_room(source, target.parent, error) from error
        try:
            check_weights_file(weights)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"{source}: {WEIGHTS} is not as Keras writes it: {one_line(error)}"
            ) from error
        others = sorted(set(old.namelist()) - {CONFIG, WEIGHTS, METADATA})
        extra = {name: old.read(name) for name in others if admitted.notes}
    try:
        with zipfile.ZipFile(target, "w") as new:
            new.writestr(METADATA, "{}")
            new.writestr(CONFIG, json.dumps(admitted.config))
            new.write(weights, WEIGHTS)
            for name, content in extra.items():  # that layers of somebody's own need
                new.writestr(name, content)
    except OSError as error:
        raise _no_room(source, target.parent, error) from error
    weights.unlink()


def _no_room(source: Path, folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"cannot write a copy of {source} into {folder}: {reason_of(error)}; "
        "TMPDIR names another folder for it"
    )
