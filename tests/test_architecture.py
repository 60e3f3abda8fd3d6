"""Imports point down: devices <- runtime <- converter <- benchmarks."""

from __future__ import annotations

import ast

import pytest

LAYERS = ["devices", "runtime", "converter", "benchmarks"]


def imports(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def upward(layer, source):
    above = tuple(f"edgeseg.{name}" for name in LAYERS[LAYERS.index(layer) + 1 :])
    return [name for name in imports(source) if above and name.startswith(above)]


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_down(layer, root):
    bad = {
        str(path.relative_to(root)): found
        for path in sorted((root / layer).rglob("*.py"))
        if (found := upward(layer, path.read_text("utf-8")))
    }
    assert not bad


@pytest.mark.parametrize(
    "line",
    ["from edgeseg.converter import cli", "from edgeseg import converter"],
)
def test_both_spellings_of_an_upward_import_are_seen(line):
    assert upward("runtime", line)


def test_interpreters_are_imported_in_one_file_only(root):
    users = {
        path.relative_to(root).as_posix()
        for layer in LAYERS
        for path in (root / layer).rglob("*.py")
        if "tflite_runtime.interpreter" in path.read_text("utf-8")
        or "ai_edge_litert.interpreter" in path.read_text("utf-8")
    }
    assert users == {"devices/litert.py"}
