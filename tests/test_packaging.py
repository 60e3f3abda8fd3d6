"""A package that is not listed works editable and is missing from the wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from importlib.metadata import version

import pytest

import edgeseg.runtime

if sys.version_info < (3, 11):
    pytest.skip("tomllib came with Python 3.11", allow_module_level=True)

import tomllib

STUDIES = "edgeseg.benchmarks.studies"
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
    # studies are run from a checkout: a wheel does not carry them
    found = {name for name in found if not name.startswith(STUDIES)}
    # and the namespace itself, for what `python -m edgeseg` runs
    assert set(settings["tool"]["setuptools"]["packages"]) == {"edgeseg", *found}


def test_folders_are_packages_as_they_are_named(root, settings):
    places = settings["tool"]["setuptools"]["package-dir"]
    namespace = places.pop("edgeseg")
    assert places == {f"edgeseg.{layer}": layer for layer in LAYERS}
    assert [path.name for path in (root / namespace).glob("*.py")] == ["__main__.py"]


def test_python_m_edgeseg(tmp_path):
    call = [sys.executable, "-m", "edgeseg", "--version"]
    done = subprocess.run(call, capture_output=True, cwd=tmp_path, encoding="utf-8")
    assert done.stdout == f"python -m edgeseg, version {version('edgeseg')}\n"


def test_edgeseg_stays_a_namespace(tmp_path):
    """Another package may add to it, and nothing of this one makes it whole."""
    (tmp_path / "edgeseg" / "more").mkdir(parents=True)
    (tmp_path / "edgeseg" / "more" / "__init__.py").write_text("WORD = 'there'\n")
    code = (
        "import edgeseg, edgeseg.more, edgeseg.runtime\n"
        "print(getattr(edgeseg, '__file__', None), edgeseg.more.WORD)"
    )
    call = [sys.executable, "-c", code]
    seen = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(call, capture_output=True, env=seen, encoding="utf-8")
    assert (done.stdout, done.stderr) == ("None there\n", "")


def test_the_runtime_tells_its_version():
    assert edgeseg.runtime.__version__ == version("edgeseg")
    with pytest.raises(AttributeError, match=r"edgeseg\.runtime.*'__versoin__'"):
        edgeseg.runtime.__versoin__  # noqa: B018


def test_every_file_of_a_package_is_in_the_wheel(root, settings):
    settings = settings["tool"]["setuptools"]
    patterns = settings["package-data"]["*"]
    left_out = [
        str(path.relative_to(root))
        for layer in LAYERS
        for path in (root / layer).rglob("*")
        if path.is_file()
        and path.suffix not in (".py", ".pyc")
        and "results" not in path.parts
        and path.name not in settings["exclude-package-data"]["*"]
        and not any(path.match(pattern) for pattern in patterns)
    ]
    assert not left_out


def test_every_layer_is_typed(root):
    assert all((root / layer / "py.typed").is_file() for layer in LAYERS)


def test_every_extra_of_the_readme_exists(settings):
    assert set(settings["project"]["optional-dependencies"]) == {
        "convert",
        "dev",
        "keras2",
        "web",
        "video",
        "heif",
        "mqtt",
        "onnx",
        "datasets",
        "ethos-u",
        "fleet",
        "archive",
    }


def test_the_models_that_ship_leave_room_in_the_wheel(root):
    """A wheel under 20 MB: its ZIP is of these for nine tenths."""
    folders = [root / layer / "shipped" for layer in ("runtime", "converter")]
    files = [file for folder in folders for file in folder.iterdir() if file.is_file()]
    assert sum(len(zlib.compress(file.read_bytes())) for file in files) < 18e6
