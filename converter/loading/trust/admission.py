"""Code of a trusted model file, made into objects that Keras can look up by name."""

from __future__ import annotations

import builtins
import copy
import importlib
import sys
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.loading.trust.bytecode import decode, global_names
from edgeseg.converter.loading.trust.custom_code import OPTION, custom_objects
from edgeseg.converter.loading.trust.scan import SHOWN, read_parts, refuse_lost, runs
from edgeseg.devices import ModelError
from edgeseg.devices.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgeseg.devices.types import Json

# Keys that old files store beside a Lambda's function, and that nothing reads today
_STALE = ("module", "function_type", "output_shape_type", "output_shape_module", "mask")


def let_in(path: Path, config: Json, given: Json | None = None) -> tuple[Json, Json]:
    """Return a network whose code is replaced by names, and the objects named.

    Parameters
    ----------
    path : Path
        The file, for messages.
    config : dict
        Its network; left as it is.
    given : dict or None
        Classes and functions that the user has, by name: they come first.

    Returns
    -------
    (dict, dict)
        The network and Keras' ``custom_objects``.

    Raises
    ------
    ModelError
        Bytecode is of another Python, looks up what the file does not hold, or a
        class or function cannot be imported.
    """
    changed = copy.deepcopy(config)
    changed.pop("compile_config", None)
    objects: Json = {}
    _walk(path, changed, objects, given or {})
    return changed, objects


def _walk(path: Path, value: object, objects: Json, given: Json) -> None:
    if isinstance(value, list):
        for item in value:
            _walk(path, item, objects, given)
    if not isinstance(value, dict):
        return
    if isinstance(value.get("class_name"), str):
        what = runs(value)
        if value["class_name"] == "Lambda":
            _open_lambda(path, value["config"], objects)
            return
        if what and what.startswith(("class", "function")):
            _import(path, value, what, objects, given)
    for item in value.values():
        _walk(path, item, objects, given)


def _open_lambda(path: Path, layer: Json, objects: Json) -> None:
    """Replace a Lambda layer's function by a name; its output shape is inferred."""
    where = f"{path}: the Lambda layer '{layer.get('name')}'"
    for key in (*_STALE, "output_shape"):
        layer.pop(key, None)
    key = f"edgeseg_lambda_{len(objects)}"
    objects[key] = _callable(where, layer.get("function"))
    layer["function"] = {
        "class_name": "function",
        "config": key,
        "module": None,
        "registered_name": key,
    }


def _callable(where: str, stored: object) -> Callable[..., object]:
    if isinstance(stored, dict) and stored.get("class_name") == "__lambda__":
        parts = stored["config"]
        stored = [parts.get("code"), parts.get("defaults"), parts.get("closure")]
    if isinstance(stored, list) and len(stored) == 3 and isinstance(stored[0], str):
        return _function(where, *stored)
    if isinstance(stored, dict) and stored.get("class_name") == "function":
        return _found(where, stored.get("module"), stored.get("config"))
    raise ModelError(
        f"{where} names the function {stored!r}, which is not in the file: build the "
        "model from its code and save it as .keras"
    )


def _function(
    where: str, text: str, defaults: Any, closure: Any
) -> Callable[..., object]:
    code = decode(text, where)
    scope = {**_scope(), "__builtins__": builtins}
    missing = sorted(
        name
        for name in global_names(code)
        if name not in scope and not hasattr(builtins, name)
    )
    if missing:
        raise ModelError(
            f"{where} uses {', '.join(missing)}, which the file does not hold: build "
            "the model from its code, without that Lambda layer, and save it as .keras"
        )
    cells = tuple(types.CellType(value) for value in closure or ())
    if len(cells) != len(code.co_freevars):
        raise ModelError(f"{where} lacks the values that its function was made with")
    return types.FunctionType(
        code, scope, code.co_name, tuple(defaults or ()) or None, cells or None
    )


def _scope() -> Json:
    """Return the names by which people call the modules that Lambdas use."""
    keras, tf = need("keras"), need("tensorflow")
    numpy, math = need("numpy"), importlib.import_module("math")
    backend = tf.keras.backend  # the one that still has Keras 2's functions
    return {
        "K": backend,
        "backend": backend,
        "keras": keras,
        "layers": keras.layers,
        "math": math,
        "np": numpy,
        "numpy": numpy,
        "ops": keras.ops,
        "tensorflow": tf,
        "tf": tf,
    }


def _import(path: Path, entry: Json, what: str, objects: Json, given: Json) -> None:
    name = entry["config"] if entry["class_name"] == "function" else entry["class_name"]
    registered = entry.get("registered_name")
    plain = str(name).rpartition(">")[2]  # old files have the registered name alone
    found = given.get(plain) or _registered(registered) or _registered(name)
    if found is None:
        found = _found(f"{path}: the {what}", entry.get("module"), name)
    objects[str(name)] = found
    if registered:
        objects[registered] = found


def _registered(name: object) -> Callable[..., object] | None:
    found: Callable[..., object] | None = None
    if isinstance(name, str):
        found = need("keras").saving.get_registered_object(name)
    return found


def _found(where: str, module: Any, name: object) -> Callable[..., object]:
    try:
        if module is None:
            raise ImportError("the file does not say of which module")
        with third_party():
            home = sys.modules.get(module) or importlib.import_module(module)
        found: Callable[..., object] = getattr(home, str(name))
        return found
    except (ImportError, AttributeError, ValueError) as error:
        raise ModelError(
            f"{where} is not importable here ({one_line(error)}): install its package "
            f"beside edgeseg, or name the Python file or module that defines it with "
            f"{OPTION}, beside --trust-model"
        ) from error


@dataclass(frozen=True)
class Admitted:
    """A network that loads without running anything but what was let in.

    Parameters
    ----------
    config : dict
        The network, written anew; code that was let in is named by `custom_objects`.
    custom_objects : dict
        For ``keras.models.load_model``.
    notes : tuple of str
        What was let in.
    """

    config: Json
    custom_objects: Json
    notes: tuple[str, ...] = ()


def admit(
    path: Path, config: Json, *, trust: bool, code: str | None = None
) -> Admitted:
    """Return a network that may be loaded.

    Parameters
    ----------
    path : Path
        The file, for messages.
    config : dict
        Its network.
    trust : bool
        Let code in.
    code : str or None
        Python file or module that defines its own layers; see `custom_objects`.

    Raises
    ------
    ModelError
        It would run code and is not trusted; or it is, and the code cannot be run or
        found here.
    InputError
        `code` cannot be used.
    """
    given = custom_objects(code, trust=trust)
    rebuilt, findings = read_parts(config)
    if not findings:
        return Admitted(rebuilt, {})
    refuse_lost(path, findings)
    named = ", ".join(map(str, findings[:SHOWN]))
    more = f" and {len(findings) - SHOWN} more" if len(findings) > SHOWN else ""
    if not trust:
        classes = any(one.what.startswith(("class", "function")) for one in findings)
        file = f", and name the Python file that defines it with {OPTION}"
        raise ModelError(
            f"{path} would run code that is neither edgeseg's nor Keras' own: {named}"
            f"{more}; if you know who made it, allow that with --trust-model"
            f"{file if classes else ''}"
        )
    changed, objects = let_in(path, config, given)
    return Admitted(changed, objects, (f"runs code of the model file: {named}{more}",))
