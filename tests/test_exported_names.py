"""`__all__` is what is public, sorted; what is loaded late is there all the same."""

from __future__ import annotations

import ast
import importlib
import pickle
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("devices", "runtime", "converter", "benchmarks")
PACKAGES = sorted(
    "edgeseg." + ".".join(init.parent.relative_to(ROOT).parts)
    for layer in LAYERS
    for init in (ROOT / layer).rglob("__init__.py")
    # one that holds code has names of its own beside those it exports
    if not re.search(r"^(def |class |[A-Z]+ = )", init.read_text("utf-8"), re.MULTILINE)
)
LAZY = ["edgeseg.devices", "edgeseg.runtime"]


@pytest.mark.parametrize("name", PACKAGES)
def test_all_is_what_is_public_and_sorted(name):
    package = importlib.import_module(name)
    public = {
        key
        for key in dir(package)
        if not key.startswith("_")
        and not isinstance(getattr(package, key), types.ModuleType)
        and key not in ("annotations", "TYPE_CHECKING")
    }
    exported = getattr(package, "__all__", ())
    assert set(exported) == public
    assert list(exported) == sorted(exported, key=_ruff_order)
    assert all(hasattr(package, key) for key in exported)


def _ruff_order(key):
    """Constants first, then classes, then functions: how the linter sorts."""
    rank = 0 if key.isupper() else 1 if key[0].isupper() else 2
    return rank, key


@pytest.mark.parametrize("name", LAZY)
def test_types_and_imports_name_the_same_modules(name):
    """A type checker reads the imports, Python the table: they say the same."""
    package = importlib.import_module(name)
    tree = ast.parse(Path(package.__file__).read_text("utf-8"))
    typed = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module != "edgeseg.devices.lazy"
        for alias in node.names
        if node.module.startswith("edgeseg.")
    }
    (table,) = [
        ast.literal_eval(node) for node in ast.walk(tree) if isinstance(node, ast.Dict)
    ]
    assert table == typed
    assert sorted(table) == sorted(package.__all__)


@pytest.mark.parametrize("name", LAZY)
def test_a_star_takes_everything_and_an_import_nothing(name):
    code = (
        f"import sys, {name} as package\n"
        "before = {m for m in sys.modules if m.startswith('edgeseg.')}\n"
        "assert not set(package.__all__) & set(vars(package))\n"
        f"from {name} import *\n"
        "assert set(package.__all__) <= set(globals())\n"
        "print(sorted(before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8"
    )
    loaded = ast.literal_eval(done.stdout)
    assert loaded == sorted({"edgeseg.devices", "edgeseg.devices.lazy", name})


@pytest.mark.parametrize("name", LAZY)
def test_a_name_that_is_not_exported_is_an_error(name):
    package = importlib.import_module(name)
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'no'"):
        package.no  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'no'"):
        exec(f"from {name} import no")


def test_what_is_loaded_late_travels_by_pickle():
    from edgeseg.runtime import Manifest, Overrides

    values = (Manifest(labels=("sky",)), Overrides(bgr=True))
    assert pickle.loads(pickle.dumps(values)) == values
