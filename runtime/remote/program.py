"""The board's program as one piece of Python, sent ahead of the first request."""

from __future__ import annotations

import shlex
from importlib import resources

_PACKAGE = "edgeseg.runtime.remote.board"
# each imports only those before it
_MODULES = (
    "messages",
    "store",
    "processes",
    "facts",
    "environment",
    "following",
    "results",
    "serving",
)
# reads as many bytes as the first line says, and runs them; no character of it means
# anything to a shell inside quotes
_STARTER = "import sys;i=sys.stdin.buffer;exec(i.read(int(i.readline())))"
_LOADER = """
import sys, types
package = types.ModuleType({package!r})
package.__path__ = []
sys.modules[package.__name__] = package
for name, source in {sources!r}:
    module = types.ModuleType(package.__name__ + "." + name)
    sys.modules[module.__name__] = module
    setattr(package, name, module)
    exec(compile(source, "board/" + name + ".py", "exec"), module.__dict__)
package.serving.main()
"""


def command(python: str | None) -> str:
    """Return what the board's login shell is to run.

    Parameters
    ----------
    python : str or None
        A path or name; None: ``python3``.
    """
    script = f"exec {_quoted(python or 'python3')} -c {shlex.quote(_STARTER)}"
    return f"exec sh -c {shlex.quote(script)}"


def _quoted(python: str) -> str:
    """Quote a program's name, but leave a home folder to the shell."""
    if python.startswith("~/"):
        return f'"$HOME"/{shlex.quote(python[2:])}'
    return shlex.quote(python)


def program() -> bytes:
    """Return the line with the length, and the program."""
    folder = resources.files(_PACKAGE)
    sources = [(name, (folder / f"{name}.py").read_text("utf-8")) for name in _MODULES]
    code = _LOADER.format(package=_PACKAGE, sources=sources).encode()
    return b"%d\n%s" % (len(code), code)
