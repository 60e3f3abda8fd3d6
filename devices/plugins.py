"""Plugins by file name: listing imports nothing, loading imports one file."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeseg.devices.errors import MissingDriverError, UnknownPluginError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class PluginFolder:
    """A package in which every public file is one plugin, named like its file.

    Parameters
    ----------
    kind : str
        The word for one of them in messages, such as ``"device"``.
    package : str
        The package that holds the files. Each defines ``PLUGIN``.

    Examples
    --------
    >>> "fake" in PluginFolder("device", "edgeseg.devices.boards").names()
    True
    """

    kind: str
    package: str

    def names(self) -> tuple[str, ...]:
        """Return the plugin names, sorted, importing none of them."""
        path = importlib.import_module(self.package).__path__
        found = (info.name for info in pkgutil.iter_modules(path))
        return tuple(sorted(name for name in found if not name.startswith("_")))

    def load(self, name: str) -> Callable[..., Any]:
        """Import one plugin file and return its ``PLUGIN``.

        Raises
        ------
        UnknownPluginError
            There is no such file.
        MissingDriverError
            The file imports a package that is not installed.
        """
        if name not in self.names():
            raise UnknownPluginError(self._unknown(name))
        try:
            module = importlib.import_module(f"{self.package}.{name}")
        except ImportError as error:
            if (error.name or "").startswith("edgeseg"):
                raise  # our own bug, not a missing driver
            missing = (
                f"the package {error.name!r}, which is not installed: pip install "
                f"{error.name}"
                if error.name
                else f"something that cannot be loaded: {error}"
            )
            raise MissingDriverError(f"{self.kind} {name!r} needs {missing}") from error
        plugin: Callable[..., Any] = module.PLUGIN
        return plugin

    def _unknown(self, name: str) -> str:
        known = self.names()
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"unknown {self.kind} {name!r}; known: {', '.join(known)}{hint}"
