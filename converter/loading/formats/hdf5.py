"""``.h5``: a whole model of Keras 2 or 3, or the weights of a DeepLabv3+ release."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.loading.format import (
    UNREADABLE,
    Format,
    RawModel,
    cannot_load,
    network_of,
    refuse_options,
    unreadable,
    wrong_values,
)
from edgeseg.converter.loading.mending.mend import mend
from edgeseg.converter.loading.release import is_release_layout, load_release
from edgeseg.converter.loading.trust.admission import admit
from edgeseg.converter.loading.trust.weights_file import check_weights_file
from edgeseg.devices import InputError, ModelError
from edgeseg.devices.plain_text import one_line

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import KerasModel
    from edgeseg.converter.loading.format import Loading
    from edgeseg.devices.types import Json

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


class Hdf5(Format):
    """The format of ``model.save("NAME.h5")`` and of release weights."""

    name = "hdf5"

    def claims(self, path: Path) -> bool:
        """Return whether the file starts as HDF5 does."""
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(_SIGNATURE)) == _SIGNATURE

    def read(self, path: Path, loading: Loading) -> RawModel:
        """Return the model; the network comes from the file, or from its layout."""
        _check(path)
        config, version = _config(path)
        if config is not None:
            refuse_options(path, loading)
            return _read_whole(path, config, version, loading)
        if not is_release_layout(path):
            raise _no_network(path, loading)
        options: Json = {
            "arch": loading.arch,
            "size": loading.size,
            "output_stride": loading.output_stride,
        }
        if loading.resize is not None:
            options["resize"] = loading.resize
        release = load_release(path, **options)
        return RawModel(release.model, release.resize, tuple(release.notes))


PLUGIN = Hdf5


def _check(path: Path) -> None:
    """Refuse files that hold more than groups and arrays of their own."""
    try:
        check_weights_file(path)
    except ValueError as error:
        raise ModelError(
            f"{path} is not as Keras writes it: {one_line(error)}"
        ) from error
    except UNREADABLE as error:
        raise ModelError(
            f"{path} is a damaged or truncated HDF5 file: {one_line(error)}"
        ) from error


def _config(path: Path) -> tuple[Json | None, str]:
    """Return the network of a whole model, or None, and the Keras that wrote it."""
    h5py = need("h5py")
    try:
        with h5py.File(path, "r") as file:
            text = file.attrs.get("model_config")
            version = _text(file.attrs.get("keras_version", "1"))
            if text is not None and "model_weights" not in file:
                raise ModelError(f"{path} holds a network but no weights")
            config = None if text is None else network_of(_text(text))
    except ModelError:
        raise
    except UNREADABLE as error:
        raise ModelError(
            f"{path} is a damaged or truncated HDF5 file: {one_line(error)}"
        ) from error
    if config is not None and not isinstance(config, dict):
        raise ModelError(f"{path} holds no network: its model_config is no object")
    return config, version


def _read_whole(path: Path, config: Json, version: str, loading: Loading) -> RawModel:
    with wrong_values(path):
        mended = mend(path, config, version)
        admitted = admit(
            path, mended.config, trust=loading.trust, code=loading.custom_objects
        )
    objects = {**mended.custom_objects, **admitted.custom_objects}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model.h5"
        try:
            _write_with(path, copy, admitted.config, mended.renamed)
            model = _load(copy, objects)
            _fill_by_name(copy, model)
        except unreadable() as error:
            raise cannot_load(path, error) from error
    return RawModel(model, notes=(*mended.notes, *admitted.notes))


def _load(path: Path, custom_objects: Json) -> KerasModel:
    keras = need("keras")
    with third_party():
        return keras.models.load_model(
            path, custom_objects=custom_objects, compile=False
        )


def _fill_by_name(path: Path, model: KerasModel) -> None:
    """Load the weights again, by layer name, where their order is not the file's.

    Keras goes by order alone; old and new Keras may order parallel branches apart.
    """
    h5py = need("h5py")
    with h5py.File(path, "r") as file:
        group = file["model_weights"]
        stored = [_text(name) for name in group.attrs.get("layer_names", ())]
        stored = [name for name in stored if len(group[name].attrs["weight_names"])]
    names = [layer.name for layer in model.layers if layer.weights]
    if stored and stored != names and sorted(stored) == sorted(names):
        with third_party():
            model.load_weights(path, by_name=True)


def _write_with(
    source: Path, target: Path, config: Json, renamed: dict[str, str]
) -> None:
    """Copy the weights as they are beside another network description."""
    h5py = need("h5py")
    with h5py.File(source, "r") as old, h5py.File(target, "w") as new:
        new.attrs["model_config"] = json.dumps(config)
        for key in ("keras_version", "backend"):
            if key in old.attrs:
                new.attrs[key] = old.attrs[key]
        old.copy("model_weights", new)
        group = new["model_weights"]
        for name, other in renamed.items():
            if name in group:
                group.copy(group[name], group, other)
        if renamed and "layer_names" in group.attrs:
            names = [_text(name) for name in group.attrs["layer_names"]]
            group.attrs["layer_names"] = [renamed.get(name, name) for name in names]


def _no_network(path: Path, loading: Loading) -> Exception:
    message = (
        f"{path} holds weights without a network, and not by the layer names of the "
        "public Keras DeepLabv3+ release"
    )
    if loading.arch is not None:
        return InputError(f"{message}: {loading.arch} cannot be filled from it")
    return ModelError(
        f"{message}: load them into their model and save it whole, "
        "model.save('NAME.keras')"
    )


def _text(value: object) -> str:
    return value.decode() if hasattr(value, "decode") else str(value)
