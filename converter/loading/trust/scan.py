"""Code that a model file would run on loading: found, and named.

The network in a Keras file is JSON that names classes and functions. Those of Keras
and of edgeseg are known (see `known`); everything else is somebody's code: a
``Lambda`` layer brings it along as bytecode, a custom object names the module that it
is imported from. Keras is not given the file's JSON: it is written anew, from what
was looked at, with one name for each class, and nothing else is handed on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeseg.converter.loading.trust.known import (
    OLD_HARD_SIGMOID,
    is_activation,
    is_keras_layer,
    known_class,
    known_function,
)
from edgeseg.converter.loading.trust.plain_values import is_plain, plain
from edgeseg.converter.networks import resizing as layers
from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json

_LOST = "TensorFlow function "
_OF_TENSORFLOW = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")
SHOWN = 5  # findings that a message lists
# What an entry of a class has beside its names; compile_config is for training, and
# names losses, metrics and optimizers
_PARTS = ("config", "name", "inbound_nodes", "build_config", "shared_object_id")
_LONGEST = 80  # of a name in a message


@dataclass(frozen=True)
class UntrustedCode:
    """One thing that would run.

    Parameters
    ----------
    layer : str
        Name of the layer that holds or names it.
    what : str
        ``"Lambda"``, ``"class pkg.Name"``, ``"function pkg.name"``.
    """

    layer: str
    what: str

    def __str__(self) -> str:
        return f"layer '{self.layer}' ({self.what})"


def scan(config: Json) -> list[UntrustedCode]:
    """Return what a network would run, one finding a layer and kind.

    Parameters
    ----------
    config : dict
        ``config.json`` of a ``.keras`` file, or ``model_config`` of an ``.h5`` file.
    """
    return read_parts(config)[1]


def refuse_lost(path: Path, findings: list[UntrustedCode]) -> None:
    """Refuse what no trust can run: functions that Keras 3 has no layer for."""
    lost = [finding for finding in findings if finding.what.startswith(_LOST)]
    if lost:
        raise ModelError(
            f"{path}: {lost[0]} was stored by name, as Keras 2 did and Keras 3 cannot "
            "read: build the model from its code with Keras 3's layers, and save it as "
            ".keras"
        )


def read_parts(config: Json) -> tuple[Json, list[UntrustedCode]]:
    """Return a network written anew, and what in it is not known."""
    layers.register()
    reader = _PartReader()
    rebuilt = reader.value(config, str(config.get("class_name", "model")))
    return rebuilt, list(dict.fromkeys(reader.findings))


class _PartReader:
    """Writes a description anew, and keeps a list of what it cannot."""

    def __init__(self) -> None:
        self.findings: list[UntrustedCode] = []

    def value(self, value: object, layer: str) -> Any:
        """Return a value with every entry in it written anew."""
        if isinstance(value, list):
            return [self.value(item, layer) for item in value]
        if not isinstance(value, dict):
            return value
        if "class_name" in value:
            return self._entry(value, layer)
        return {key: self._setting(key, item, layer) for key, item in value.items()}

    def _setting(self, key: str, value: object, layer: str) -> object:
        named = key == "activation" or key.endswith("_activation")
        if named and isinstance(value, str):
            if value == OLD_HARD_SIGMOID:
                return _custom_function(value)
            if not is_activation(value):
                self._find(layer, f"function {value}")
        if key == "layers" and isinstance(value, list):
            for item in value:
                named = isinstance(item, dict) and item.get("class_name") == "function"
                if named and known_function(item) is not None:
                    self._find(layer, f"function {item['config']} as a layer")
        return self.value(value, layer)

    def _entry(self, entry: Json, layer: str) -> object:
        inner = entry.get("config")
        for said in (entry, inner):
            if isinstance(said, dict) and isinstance(said.get("name"), str):
                layer = said["name"]
        if is_plain(entry["class_name"]):
            return self._plain(entry, layer)
        what = runs(entry)
        if what is not None:
            self._find(layer, what)
            if entry["class_name"] in ("Lambda", "__lambda__"):
                return None
        if entry["class_name"] == "function":
            return known_function(entry)  # Keras finds its own by their names alone
        known = known_class(entry)
        parts = {
            key: self._setting(key, entry[key], layer) for key in _PARTS if key in entry
        }
        if known is None:
            return parts
        return {
            "module": known.module,
            "class_name": known.name,
            "registered_name": known.registered,
            **parts,
        }

    def _plain(self, entry: Json, layer: str) -> object:
        found = plain(entry)
        if found is None:
            self._find(layer, f"class {entry['class_name']} of something else")
            return None
        return {
            key: item if key == "class_name" else self.value(item, layer)
            for key, item in found.items()
        }

    def _find(self, layer: str, what: str) -> None:
        self.findings.append(UntrustedCode(_shown(layer), _shown(what)))


def runs(entry: Json) -> str | None:
    """Return what a config entry would run, or None for Keras' and edgeseg's own.

    Parameters
    ----------
    entry : dict
        With ``class_name``.
    """
    name, module = entry["class_name"], entry.get("module")
    if is_plain(name) or known_class(entry) is not None:
        return None
    if name == "function":
        if known_function(entry) is not None:
            return None
        place = "" if module in (None, "builtins") else f"{module}."
        return f"function {place}{entry.get('config')}"
    if name == "__lambda__":
        return "Python lambda"
    if name in _OF_TENSORFLOW:
        inner = entry.get("config")
        function = inner.get("function", "?") if isinstance(inner, dict) else "?"
        return f"{_LOST}{function}"
    if is_keras_layer(entry):
        return str(name)
    registered = entry.get("registered_name")
    other = registered is not None and str(registered).rpartition(">")[2] != name
    place = "" if module is None else f"{module}."
    return f"class {place}{name}" + (f" registered as {registered}" if other else "")


def _custom_function(name: str) -> Json:
    """Return the entry by which Keras looks up a custom function."""
    return {
        "class_name": "function",
        "config": name,
        "module": None,
        "registered_name": name,
    }


def _shown(text: str) -> str:
    """Return a stranger's name as it may stand in a line of a terminal."""
    shown = "".join(one if one.isprintable() else "?" for one in text)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 3]}..."
