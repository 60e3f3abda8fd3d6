"""The Python file or module in which a user has a network's own layers."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.devices import InputError
from edgeseg.devices.plain_text import one_line

if TYPE_CHECKING:
    from types import ModuleType

    from edgeseg.devices.types import Json

OPTION = "--custom-objects"


def custom_objects(source: str | None, *, trust: bool) -> Json:
    """Return the classes and functions of a file or module, by name.

    Parameters
    ----------
    source : str or None
        A ``.py`` file, or a module as ``import`` names it; None gives none.
    trust : bool
        Code may be run.

    Raises
    ------
    InputError
        It is not trusted, cannot be imported, or defines nothing.
    """
    if source is None:
        return {}
    if not trust:
        raise InputError(f"{OPTION} {source} runs that code: add --trust-model")
    need("keras")  # quietly, before a stranger's file imports it
    try:
        with third_party():
            module = _imported(source)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # whatever a stranger's file raises
        raise InputError(
            f"{OPTION} {source} cannot be imported: {type(error).__name__}: "
            f"{one_line(error)}"
        ) from error
    found = {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and (inspect.isclass(value) or callable(value))
    }
    if not found:
        raise InputError(f"{OPTION} {source} defines no class and no function")
    return found


def _imported(source: str) -> ModuleType:
    path = Path(source)
    if not path.is_file():
        if path.suffix == ".py" or len(path.parts) > 1:
            raise InputError(f"{OPTION}: there is no file {source}")
        return importlib.import_module(source)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{OPTION}: expected a .py file or a module, got {source}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # by which the network may name it
    sys.path.insert(0, str(path.resolve().parent))
    spec.loader.exec_module(module)
    return module
