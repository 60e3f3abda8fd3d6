"""``.keras`` files that other versions of Keras read, the same bytes everywhere.

A file as Keras writes it names every setting that the installed version knows, and an
older one refuses those that it does not. Here what says nothing is left out: settings
at their default, and what matters to training alone. Weights stay byte for byte.
Networks of layers then load in every Keras 3 that has these layers.
"""

from __future__ import annotations

import inspect
import json
import zipfile
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.loading.formats.keras_file import CONFIG, METADATA, WEIGHTS
from edgeseg.converter.loading.mending.mend import mend
from edgeseg.converter.loading.trust.known import INERT_LAYERS, known_class
from edgeseg.converter.networks import resizing as layers
from edgeseg.runtime.pictures.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgeseg.converter.frameworks import KerasClass, KerasModel
    from edgeseg.devices.types import Json

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # that a ZIP can name
_READABLE = 0o644 << 16  # where a ZIP has the rights of a file
_UNIX = 3
# Of an entry; what it was built and compiled with says the network itself
_ENTRY = ("module", "class_name", "config", "registered_name", "name", "inbound_nodes")
_ALWAYS = ("name", "dtype")  # what their default is, a user's own settings say


def save_portable(model: KerasModel, path: Path) -> None:
    """Save a model as a ``.keras`` file that other versions of Keras read.

    Parameters
    ----------
    model : keras.Model
        Of layers of Keras and edgeseg; others are described as they describe
        themselves.
    path : Path
        Ends in ``.keras``.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    with replacing(path) as temporary:
        with third_party():
            model.save(temporary)
        _write(temporary, temporary)


def make_portable(path: Path) -> None:
    """Write a ``.keras`` file anew, such that other versions of Keras read it.

    Parameters
    ----------
    path : Path
        A file that Keras wrote here; it is replaced. Of the same file it makes the
        same bytes, whenever and wherever.
    """
    with replacing(path) as temporary:
        _write(path, temporary)


def _write(path: Path, target: Path) -> None:
    """Write the portable file of what is in `path`; `target` may be the same."""
    layers.register()  # they are known by name, in whatever process this is
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read(CONFIG))
        version = json.loads(archive.read(METADATA)).get("keras_version", "3")
        weights = archive.read(WEIGHTS)
    small = _model(mend(path, config, version).config)
    members = {
        METADATA: json.dumps({"keras_version": version}).encode(),
        CONFIG: json.dumps(small, separators=(",", ":")).encode(),
        WEIGHTS: weights,
    }
    _write_members(target, members)


def write_archive(path: Path, members: Mapping[str, bytes]) -> None:
    """Write a ZIP archive in place of a file: the same bytes of the same members."""
    with replacing(path) as temporary:
        _write_members(temporary, members)


def _write_members(target: Path, members: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, _FIRST_DAY)
            info.create_system, info.external_attr = _UNIX, _READABLE
            archive.writestr(info, content)  # not compressed: zlib's bytes differ


def _model(entry: Json) -> Json:
    """Return an entry of a layer or a model without what says nothing."""
    known = known_class(entry)
    config = entry.get("config")
    if known is None or not isinstance(config, dict):
        return entry
    small = {key: entry[key] for key in _ENTRY if key in entry}
    defaults = {}
    if known.registered is None:  # edgeseg's own say all that they are
        found = getattr(need(known.module), known.name)
        defaults = {} if _needs_all(found) else _defaults(found)
    if known.name in INERT_LAYERS:
        defaults["data_format"] = config.get("data_format")
    small["config"] = {
        key: _setting(value)
        for key, value in config.items()
        if key in _ALWAYS or not _is_default(value, defaults.get(key, ...))
    }
    return small


def _setting(value: object) -> object:
    """Return a setting with the layers in it, such as those of a model, made small."""
    if isinstance(value, list):
        return [_setting(one) for one in value]
    if isinstance(value, dict) and "class_name" in value:
        return _model(value)
    return value


def _needs_all(found: KerasClass) -> bool:
    """Return whether a layer reads its settings itself, which may need every one."""
    keras = need("keras")
    return (
        issubclass(found, keras.Layer)
        and not issubclass(found, keras.Model)
        and found.from_config.__func__ is not keras.Layer.from_config.__func__
    )


def _defaults(found: KerasClass) -> Json:
    """Return the defaults of a class's settings, and of those that it hands on."""
    defaults: Json = {}
    for one in reversed(found.__mro__):
        if "__init__" in vars(one):
            settings = inspect.signature(one.__init__).parameters
            defaults |= {name: one.default for name, one in settings.items()}
    return defaults


def _is_default(value: object, default: object) -> bool:
    """Return whether a layer without a setting has just that value of it."""
    if value == "linear" and default is None:  # of an activation
        return True
    if isinstance(value, list) and isinstance(default, int):  # of height and width
        return bool(value) and all(_is_default(one, default) for one in value)
    if isinstance(default, tuple):
        default = list(default)
    return type(value) is type(default) and bool(value == default)
