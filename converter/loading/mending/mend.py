"""Networks of other versions of Keras, translated for the one that is installed.

Only the description changes, never a weight. What matters to training alone
(initializers, regularizers, constraints, mixed precision) is dropped; renamed classes
and keys get their new names; a key that the installed layer does not know, because it
is older or newer, may go when its value says "nothing special", and is an error
otherwise.

A network's layers refer to each other by name, number of the call, and number of the
output. Keras 2 counted the calls of a model inside another from 1: call 0 was the one
that it was built with. Keras 3 counts from 0.
"""

from __future__ import annotations

import copy
import inspect
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from edgeseg.converter.cause import shortened
from edgeseg.converter.frameworks import need
from edgeseg.converter.loading.mending.layer_names import references, without_slashes
from edgeseg.converter.loading.mending.public_layers import as_keras_layer
from edgeseg.converter.loading.mending.tensorflow_functions import as_layer
from edgeseg.converter.loading.trust.known import (
    INERT_LAYERS,
    OLD_HARD_SIGMOID,
    is_keras_class,
    known_class,
)
from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.converter.frameworks import KerasClass, KerasTensor
    from edgeseg.devices.types import Json


_RENAMED = {
    "AtrousConvolution2D": "Conv2D",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "Convolution2D": "Conv2D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Model": "Functional",
    "SeparableConvolution2D": "SeparableConv2D",
    "SyncBatchNormalization": "BatchNormalization",
}
_TRAINING_ENDS = ("_initializer", "_regularizer", "_constraint")
# Old layers' keys whose every value leaves inference as it is
_IDLE = {"fused", "ragged", "sparse", "virtual_batch_size", "renorm_momentum"}
_IDLE |= {"batch_input_shape", "input_dtype", "implementation", "trainable"}
_LONGEST = 80  # of a setting in a message
_REST = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
# Of operations, which Keras names anew where they take no name
_IDLE_OF_OPERATIONS = {"name"}
_POLICIES = ("DTypePolicy", "FloatDTypePolicy", "Policy")
_LOW_PRECISION = ("float16", "bfloat16", "mixed_float16", "mixed_bfloat16", "float64")
_MODELS = ("Functional", "Sequential")


@dataclass(frozen=True)
class Mended:
    """A network that the installed Keras can build.

    Parameters
    ----------
    config : dict
        The network.
    custom_objects : dict
        Functions that Keras 3 has with other numbers.
    notes : tuple of str
        Where old Keras may have computed something else.
    renamed : dict of str to str
        Layers that got another name, old to new.
    """

    config: Json
    custom_objects: Json = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    renamed: dict[str, str] = field(default_factory=dict)


def mend(path: Path, config: Json, version: str) -> Mended:
    """Return a network in words of the installed Keras.

    Parameters
    ----------
    path : Path
        The file, for messages.
    config : dict
        ``config.json`` of a ``.keras`` file, or ``model_config`` of an ``.h5`` file;
        left as it is.
    version : str
        The Keras that wrote it, such as ``"2.2.4-tf"``.

    Raises
    ------
    ModelError
        It is no network, or a layer has a setting that the installed Keras lacks.
    """
    mender, changed = _Mender(path, version), copy.deepcopy(config)
    renamed = without_slashes(changed) if mender.old else {}
    return Mended(mender.entry(changed), _replacements(), tuple(mender.notes), renamed)


class _Mender:
    def __init__(self, path: Path, version: str) -> None:
        self.path = path
        self.old = _number(version) < (3, 0)
        self.ancient = _number(version) < (2, 2, 5) and not version.endswith("tf")
        self.notes: list[str] = []

    def entry(self, stored: object) -> Json:
        """Mend a model, a layer, or a layer around another."""
        if not isinstance(stored, dict) or not isinstance(
            stored.get("class_name"), str
        ):
            raise ModelError(f"{self.path} holds no network that Keras wrote")
        entry: Json = stored
        if entry["class_name"] == "TFOpLambda" and isinstance(
            entry.get("config"), dict
        ):
            entry = as_layer(entry)
            if entry["class_name"] != "TFOpLambda":
                entry["module"] = entry["registered_name"] = None
        if not is_keras_class(entry) or _class(entry) is None:
            public = as_keras_layer(entry)
            if public is not None:
                entry, note = public
                self.notes.append(note)
        if not is_keras_class(entry):
            return entry  # somebody's own, of whatever name
        kind = str(entry["class_name"])
        name = _RENAMED.get(kind, kind)
        if name != entry["class_name"]:
            entry["class_name"], entry["module"] = name, None
            entry["registered_name"] = None
        config = entry.get("config")
        if name == "Sequential":
            entry["config"] = self._sequential(config)
        elif isinstance(config, dict) and isinstance(config.get("layers"), list):
            config["layers"] = [self.entry(layer) for layer in config["layers"]]
            if self.old:
                renumber(config)
        elif isinstance(config, dict):
            entry["config"] = self._layer(entry, config)
        return entry

    def _sequential(self, config: Json | list[Json] | None) -> Json:
        """Mend a chain; where it starts without an input, make one."""
        whole = {"layers": config} if isinstance(config, list) else dict(config or {})
        layers = whole.get("layers") or []
        first = layers[0].get("config", {}) if layers else {}
        shape = first.get("batch_input_shape")
        if shape is not None and layers[0].get("class_name") != "InputLayer":
            start = {"name": f"{first.get('name', 'image')}_input"}
            start |= {"batch_input_shape": shape}
            layers = [{"class_name": "InputLayer", "config": start}, *layers]
        whole["layers"] = [self.entry(layer) for layer in layers]
        whole.pop("build_input_shape", None)
        return whole

    def _layer(self, entry: Json, config: Json) -> Json:
        name = entry["class_name"]
        if name == "InputLayer" and "batch_input_shape" in config:
            config["batch_shape"] = config.pop("batch_input_shape")
        config = {
            key: self._setting(value)
            for key, value in config.items()
            if not key.endswith(_TRAINING_ENDS)
        }
        if "dtype" in config:
            config["dtype"] = _dtype(config["dtype"])
        self._special(name, config)
        return self._known(entry, config)

    def _setting(self, value: Any) -> object:
        """Mend a layer inside another: of a wrapper, a cell, an activation."""
        if isinstance(value, list):
            return [self._setting(one) for one in value]
        inside = value.get("config") if isinstance(value, dict) else None
        if isinstance(inside, dict) and isinstance(value.get("class_name"), str):
            return self.entry(value)
        return _plain(value)

    def _special(self, name: str, config: Json) -> None:
        """Mend what one kind of layer, or an activation, changed in meaning."""
        if name == "LeakyReLU" and "alpha" in config:
            config["negative_slope"] = config.pop("alpha")
        if name == "BatchNormalization" and isinstance(config.get("axis"), list):
            config["axis"] = config["axis"][0]
        if name == "UpSampling2D" and config.get("interpolation") == "bilinear":
            self._warn_of_corners(config)
        for key in ("activation", "recurrent_activation"):
            if self.old and config.get(key) == "hard_sigmoid":
                config[key] = OLD_HARD_SIGMOID

    def _warn_of_corners(self, config: Json) -> None:
        if self.ancient:
            self.notes.append(
                f"layer '{config.get('name')}': the Keras that wrote this file aligned "
                "bilinear upsampling at the top left, today's at pixel centres"
            )

    def _known(self, entry: Json, config: Json) -> Json:
        """Drop keys without effect that the layer does not know."""
        found, name = _class(entry), entry["class_name"]
        if name == "InputLayer":
            config = {key: one for key, one in config.items() if key not in _IDLE}
        if found is None or name == "Lambda":
            return config
        known = _parameters(found)
        idle = _IDLE if _is_layer(found) else _IDLE_OF_OPERATIONS
        if not _is_layer(found) and isinstance(entry.get("name"), str):
            config["name"] = entry["name"]  # some versions leave it out
        kept = {key: value for key, value in config.items() if key in known}
        for key in sorted(config.keys() - kept.keys()):
            inert = key in idle or name in INERT_LAYERS
            if not inert and not _says_nothing(config[key]):
                said = shortened(f"{key}={config[key]!r}", _LONGEST)
                raise ModelError(
                    f"{self.path}: layer '{config.get('name')}' ({name}) has {said}, "
                    f"which Keras {version('keras')} does not know: convert it with "
                    "the Keras that wrote it, or build the model from its code and "
                    "save it as .keras"
                )
        return kept


def _class(entry: Json) -> KerasClass | None:
    """Return the class that an entry names, or None where it is none of Keras'."""
    known = known_class(entry)
    if known is None or known.registered is not None:
        return None
    return getattr(need(known.module), known.name, None)


def _is_layer(found: KerasClass) -> bool:
    return issubclass(found, need("keras").layers.Layer)


def _parameters(found: KerasClass) -> set[str]:
    """Return what a class takes, and what those take that it hands the rest to."""
    known: set[str] = set()
    for one in found.__mro__:
        if "__init__" in vars(one):
            named = inspect.signature(one.__init__).parameters
            kinds = {name: one.kind for name, one in named.items()}
            known |= {name for name, kind in kinds.items() if kind not in _REST}
            if inspect.Parameter.VAR_KEYWORD not in kinds.values():
                break
    return known - {"self"}


def _says_nothing(value: object) -> bool:
    """Return whether a setting is what a layer without it does."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value == 1
    return value is None or value is False or value in ("", [], {})


def _plain(value: object) -> object:
    """Return the number in what old Keras wrote for one."""
    if isinstance(value, dict) and value.get("type") == "ndarray":
        return value.get("value")
    return value


def _dtype(value: object) -> object:
    """Return the name of a type; reduced precision was for training."""
    if isinstance(value, dict) and value.get("class_name") in _POLICIES:
        inside = value.get("config")
        value = inside.get("name", "float32") if isinstance(inside, dict) else "float32"
    is_low = isinstance(value, str) and value in _LOW_PRECISION
    return "float32" if is_low else value


def _number(version: str) -> tuple[int, ...]:
    parts = version.split("-")[0].split(".")
    return tuple(int(part) for part in parts if part.isdigit())


def _replacements() -> Json:
    """Return the functions whose numbers changed between Keras 2 and 3."""
    ops = need("keras").ops

    def hard_sigmoid(x: KerasTensor) -> KerasTensor:
        return ops.clip(0.2 * x + 0.5, 0.0, 1.0)

    return {OLD_HARD_SIGMOID: hard_sigmoid}


def renumber(config: Json) -> None:
    """Count calls of the models inside a network from 0, where they start with 1.

    Parameters
    ----------
    config : dict
        Of a Keras 2 network; changed.

    Examples
    --------
    >>> inner = {"class_name": "Functional", "name": "inner"}
    >>> inner["inbound_nodes"] = [[["image", 0, 0, {}]]]
    >>> config = {"layers": [inner], "output_layers": [["inner", 1, 0]]}
    >>> renumber(config)
    >>> config["output_layers"]
    [['inner', 0, 0]]
    """
    for layer in config["layers"]:
        if not isinstance(layer, dict) or layer.get("class_name") not in _MODELS:
            continue
        others = [one for one in config["layers"] if isinstance(one, dict)]
        places = [config.get("output_layers"), [o.get("inbound_nodes") for o in others]]
        name = layer.get("name")
        found = [one for one in references(places) if one[0] == name]
        calls = layer.get("inbound_nodes")
        count = len(calls) if isinstance(calls, list) else 0
        numbers = [reference[1] for reference in found]
        if numbers and min(numbers) >= 1 and max(numbers) >= count:
            for reference in found:
                reference[1] -= 1
