"""A package that is not listed works editable and is missing from the wheel."""

from __future__ import annotations

import sys

import pytest

if sys.version_info < (3, 11):
    pytest.skip("tomllib came with Python 3.11", allow_module_level=True)

import tomllib

LAYERS = ("converter", "runtime", "devices", "benchmarks")


@pytest.fixture(scope="module")
def settings(root):
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))


def test_every_package_folder_is_listed(root, settings):
    found = {
        "edgeseg." + ".".join(init.parent.relative_to(root).parts)
        for layer in LAYERS
        for init in (root / layer).rglob("__init__.py")
    }
    assert set(settings["tool"]["setuptools"]["packages"]) == found


def test_every_file_of_a_package_is_in_the_wheel(root, settings):
    patterns = settings["tool"]["setuptools"]["package-data"]["*"]
    left_out = [
        str(path.relative_to(root))
        for layer in LAYERS
        for path in (root / layer).rglob("*")
        if path.is_file()
        and path.suffix not in (".py", ".pyc")
        and "results" not in path.parts
        and not any(path.match(pattern) for pattern in patterns)
    ]
    assert not left_out


def test_every_layer_is_typed(root):
    assert all((root / layer / "py.typed").is_file() for layer in LAYERS)


def test_every_extra_of_the_readme_exists(settings):
    assert set(settings["project"]["optional-dependencies"]) == {
        "convert",
        "dev",
        "web",
        "video",
        "mqtt",
        "onnx",
    }
