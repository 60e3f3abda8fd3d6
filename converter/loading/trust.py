"""What a model file would run on loading: found, named, refused or let in.

The network in a Keras file is JSON that names classes and functions. Those of Keras
and of edgeseg are known; everything else is somebody's code: a ``Lambda`` layer brings
it along as bytecode, a custom object names the module it is imported from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeseg.converter._frameworks import need
from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Where Keras' building blocks live; keras.utils, keras.saving and keras.config act
_SPACES = (
    "activations",
    "constraints",
    "dtype_policies",
    "initializers",
    "layers",
    "models",
    "ops",
    "quantizers",
    "random",
    "regularizers",
)
# Layers of Keras that run, unpickle or read something named in their config
_ACTING = (
    "FlaxLayer",
    "HashedCrossing",
    "IntegerLookup",
    "JaxLayer",
    "Lambda",
    "StringLookup",
    "TFSMLayer",
    "TextVectorization",
    "TorchModuleWrapper",
)
_VALUES = (
    "__bytes__",
    "__ellipsis__",
    "__keras_tensor__",
    "__numpy__",
    "__slice__",
    "__tensor__",
)
_LOST = "TensorFlow function "
_SHOWN = 5


@dataclass(frozen=True)
class Finding:
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


@dataclass(frozen=True)
class Admitted:
    """A network that loads without running anything but what was let in.

    Parameters
    ----------
    config : dict
        The network, with code replaced by names of ``custom_objects``.
    custom_objects : dict
        For ``keras.models.load_model``.
    notes : tuple of str
        What was let in.
    changed : bool
        Whether the config differs from the file's.
    """

    config: dict[str, Any]
    custom_objects: dict[str, Any]
    notes: tuple[str, ...] = ()
    changed: bool = False


def scan(config: dict[str, Any]) -> list[Finding]:
    """Return what a network would run, one finding a layer and kind.

    Parameters
    ----------
    config : dict
        ``config.json`` of a ``.keras`` file, or ``model_config`` of an ``.h5`` file.
    """
    from edgeseg.converter import layers

    layers.register()
    rest = {key: value for key, value in config.items() if key != "compile_config"}
    return list(dict.fromkeys(_walk(rest, str(rest.get("class_name", "model")))))


def admit(path: Path, config: dict[str, Any], *, trust: bool) -> Admitted:
    """Return a network that may be loaded.

    Parameters
    ----------
    path : Path
        The file, for messages.
    config : dict
        Its network.
    trust : bool
        Let code in.

    Raises
    ------
    ModelError
        It would run code and is not trusted; or it is, and the code cannot be run or
        found here.
    """
    findings = scan(config)
    if not findings:
        return Admitted(config, {})
    _refuse_lost(path, findings)
    named = ", ".join(map(str, findings[:_SHOWN]))
    more = f" and {len(findings) - _SHOWN} more" if len(findings) > _SHOWN else ""
    if not trust:
        raise ModelError(
            f"{path} would run code that is neither edgeseg's nor Keras' own: {named}"
            f"{more}; if you know who made it, allow that with --trust-model"
        )
    from edgeseg.converter.loading.admission import let_in

    changed, objects = let_in(path, config)
    note = f"runs code of the model file: {named}{more}"
    return Admitted(changed, objects, (note,), changed=True)


def _refuse_lost(path: Path, findings: list[Finding]) -> None:
    """Refuse what no trust can run: functions that Keras 3 has no layer for."""
    lost = [finding for finding in findings if finding.what.startswith(_LOST)]
    if lost:
        raise ModelError(
            f"{path}: {lost[0]} was stored by name, as Keras 2 did and Keras 3 cannot "
            "read: build the model from its code with Keras 3's layers, and save it as "
            ".keras"
        )


def _walk(value: Any, layer: str) -> Iterator[Finding]:
    if isinstance(value, list):
        for item in value:
            yield from _walk(item, layer)
    if not isinstance(value, dict):
        return
    inner = value.get("config")
    if isinstance(value.get("class_name"), str):
        if isinstance(inner, dict) and isinstance(inner.get("name"), str):
            layer = inner["name"]
        what = runs(value) or _activation(inner)
        if what:
            yield Finding(layer, what)
            if value["class_name"] in ("Lambda", "__lambda__"):
                return
    for item in value.values():
        yield from _walk(item, layer)


def runs(entry: dict[str, Any]) -> str | None:
    """Return what a config entry would run, or None for Keras' and edgeseg's own.

    Parameters
    ----------
    entry : dict
        With ``class_name``.
    """
    name, module = entry["class_name"], entry.get("module")
    if name in _VALUES or _is_registered(str(entry.get("registered_name"))):
        return None
    if name == "__lambda__":
        return "Python lambda"
    if name in _ACTING:
        return str(name)
    if name in ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"):
        return f"{_LOST}{_tf_function(entry)}"
    if name == "function":
        return _function(entry, module)
    if module is None:
        known = _is_registered(name) or _is_builtin(name) or "config" not in entry
        return None if known else f"class {name}"
    return None if _is_keras(module) else f"class {module}.{name}"


def _function(entry: dict[str, Any], module: Any) -> str | None:
    name = entry.get("config")
    if module in (None, "builtins"):
        activations = need("keras").activations
        return None if hasattr(activations, str(name)) else f"function {name}"
    return None if _is_keras(str(module)) else f"function {module}.{name}"


def _activation(config: Any) -> str | None:
    """Return the function that a layer names as its activation, unless Keras' own."""
    name = config.get("activation") if isinstance(config, dict) else None
    if not isinstance(name, str) or name.startswith("edgeseg"):
        return None
    try:
        need("keras").activations.get(name)
    except ValueError:
        return f"function {name}"
    return None


def _is_keras(module: str) -> bool:
    parts = str(module).removeprefix("keras.src").removeprefix("keras").split(".")
    rooted = str(module) == "keras" or str(module).startswith("keras.")
    return rooted and (parts == [""] or parts[1] in _SPACES)


def _is_registered(name: str) -> bool:
    keras = need("keras")
    ours = name.startswith("edgeseg>")
    return ours and keras.saving.get_registered_object(name) is not None


def _is_builtin(name: str) -> bool:
    """Return whether a name without a module, as old files have it, is Keras' own."""
    keras = need("keras")
    if name in ("Functional", "Sequential", "Policy", "DTypePolicy"):
        return True
    spaces = (keras.layers, keras.initializers, keras.regularizers, keras.constraints)
    return any(isinstance(getattr(space, name, None), type) for space in spaces)


def _tf_function(entry: dict[str, Any]) -> str:
    inner = entry.get("config")
    return str(inner.get("function", "?")) if isinstance(inner, dict) else "?"
