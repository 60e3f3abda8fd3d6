"""Which release this is, read from the installed package when somebody asks."""

from __future__ import annotations


def __getattr__(name: str) -> str:
    """Return ``__version__`` of `edgeseg.runtime`, which imports this function.

    The module that reads it takes half a megabyte, which few runs need.
    """
    if name != "__version__":
        raise AttributeError(f"module 'edgeseg.runtime' has no attribute {name!r}")
    from importlib.metadata import version

    return version("edgeseg")
