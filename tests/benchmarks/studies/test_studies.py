"""Studies run from a checkout: each says how, and nothing installed needs one."""

from __future__ import annotations

import ast
import sys

import pytest

if sys.version_info < (3, 11):
    import tomli as tomllib
else:
    import tomllib

STUDIES = "edgeseg.benchmarks.studies"


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def programs(root):
    """Return the studies that are run as programs, by name."""
    found = {}
    for path in sorted((root / "benchmarks" / "studies").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        guards = [
            place
            for place, node in enumerate(tree.body)
            if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)
        ]
        if guards:
            parts = path.relative_to(root / "benchmarks").with_suffix("").parts
            name = ".".join(("edgeseg.benchmarks", *parts))
            found[name.removesuffix(".__main__")] = tree, guards
    return found


def test_every_program_defines_all_before_it_starts(root):
    found = programs(root)
    assert len(found) >= 9
    for name, (tree, guards) in found.items():
        assert guards == [len(tree.body) - 1], name


def test_every_program_says_how_it_is_run(root):
    for name, (tree, _) in programs(root).items():
        text = " ".join((ast.get_docstring(tree) or "").split())
        assert f"python -m {name} " in text, name
        assert "from a checkout" in text, name


def test_nothing_in_the_wheel_imports_a_study(root):
    config = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    packages = config["tool"]["setuptools"]["packages"]
    assert "edgeseg.benchmarks.page" in packages
    assert [name for name in packages if name.startswith(STUDIES)] == []
    for package in packages:
        folder = root.joinpath(*package.split(".")[1:])
        if package == "edgeseg":
            folder = root / config["tool"]["setuptools"]["package-dir"][package]
        files = sorted(folder.glob("*.py"))
        assert files, package
        for path in files:
            names = imported(ast.parse(path.read_text("utf-8")))
            assert [n for n in names if n.startswith(STUDIES)] == [], path


@pytest.mark.parametrize(
    "line",
    [
        f"import {STUDIES}.memory",
        f"from {STUDIES} import memory",
        "from edgeseg.benchmarks import studies",
    ],
)
def test_every_spelling_of_an_import_is_seen(line):
    assert any(name.startswith(STUDIES) for name in imported(ast.parse(line)))
