"""Plugins by file name: listing imports nothing, loading imports one file.

Another package adds a plugin with an entry point, which names the module that defines
``PLUGIN``. In its ``pyproject.toml``::

    [project.entry-points."edgeseg.devices"]
    my_board = "my_package.my_board"
"""

from __future__ import annotations

import difflib
import functools
import importlib
import pkgutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeseg.devices.errors import MissingDriverError, UnknownPluginError

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint
    from types import ModuleType


@dataclass(frozen=True)
class PluginFolder:
    """A package in which every public file is one plugin, named like its file.

    Parameters
    ----------
    kind : str
        The word for one of them in messages, such as ``"device"``.
    package : str
        The package that holds the files. Each defines ``PLUGIN``.
    group : str
        Entry points of other packages that are plugins of this kind too; empty where
        there are none. A name that a file has is the file's.

    Examples
    --------
    >>> "fake" in PluginFolder("device", "edgeseg.devices.boards").names()
    True
    """

    kind: str
    package: str
    group: str = ""

    def names(self) -> tuple[str, ...]:
        """Return the plugin names, sorted, importing none of them."""
        return tuple(sorted({*self._files(), *self._entry_points()}))

    def load(self, name: str) -> Callable[..., Any]:
        """Import one plugin file and return its ``PLUGIN``.

        Raises
        ------
        UnknownPluginError
            There is no such file.
        MissingDriverError
            The file imports a package that is not installed, or another package's
            module cannot be used.
        """
        module = self.module(name)
        if not callable(getattr(module, "PLUGIN", None)) and name not in self._files():
            raise MissingDriverError(
                f"{self._origin(name)} has no PLUGIN that can be called: tell its "
                "authors"
            )
        plugin: Callable[..., Any] = module.PLUGIN
        return plugin

    def module(self, name: str) -> ModuleType:
        """Import one plugin file; see `load`."""
        if name not in self.names():
            raise UnknownPluginError(self._unknown(name))
        if name not in self._files():
            return self._foreign(name)
        try:
            return importlib.import_module(f"{self.package}.{name}")
        except ImportError as error:
            if (error.name or "").startswith("edgeseg"):
                raise  # our own bug, not a missing driver
            raise MissingDriverError(_missing(self.kind, name, error)) from error

    def _files(self) -> tuple[str, ...]:
        path = importlib.import_module(self.package).__path__
        found = (info.name for info in pkgutil.iter_modules(path))
        return tuple(name for name in found if not name.startswith("_"))

    def _entry_points(self) -> dict[str, EntryPoint]:
        return _entry_points(self.group, tuple(sys.path)) if self.group else {}

    def _foreign(self, name: str) -> ModuleType:
        """Import the module of another package, whatever goes wrong there."""
        try:
            found: ModuleType = self._entry_points()[name].load()
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise MissingDriverError(
                f"{self._origin(name)} cannot be loaded: {reason}"
            ) from error
        return found

    def _origin(self, name: str) -> str:
        found = self._entry_points()[name]
        brought = f" of the package {found.dist.name}" if found.dist else ""
        return f"{self.kind} {name!r}{brought} ({found.value})"

    def _unknown(self, name: str) -> str:
        known = self.names()
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"unknown {self.kind} {name!r}; known: {', '.join(known)}{hint}"


def _missing(kind: str, name: str, error: ImportError) -> str:
    missing = (
        f"the package {error.name!r}, which is not installed: pip install {error.name}"
        if error.name
        else f"something that cannot be loaded: {error}"
    )
    return f"{kind} {name!r} needs {missing}"


@functools.lru_cache(maxsize=8)
def _entry_points(group: str, path: tuple[str, ...]) -> dict[str, EntryPoint]:
    # reading what is installed takes some milliseconds a hundred packages
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=group)}
