"""`.ci/matrix`: which cells there are, and when one passes."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import sys

import pytest

from edgeseg.runtime.model.embedded import without_manifest
from edgeseg.runtime.shipped import model_file

KINDS = ("lowest", "newest", "pre-releases")


@pytest.fixture(scope="module")
def matrix(root):
    """The command as a module; its folder is no package."""
    folder = root / ".ci"
    sys.path.insert(0, str(folder))
    try:
        loader = importlib.machinery.SourceFileLoader("matrix", str(folder / "matrix"))
        spec = importlib.util.spec_from_loader("matrix", loader)
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(folder))


@pytest.fixture
def cell(matrix):
    return sys.modules["matrix_cell"]


@pytest.fixture
def interpreter(tmp_path):
    """A program that answers like an interpreter of some version."""

    def make(name, number, folder="bin"):
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        answer = json.dumps([number, ".".join(map(str, number))])
        path.write_text(f"#!/bin/sh\necho '{answer}'\n")
        path.chmod(0o755)
        return path

    return make


def names(cells):
    return [f"{python.minor}:{kind}" for python, kind in cells]


@pytest.fixture
def three(matrix, interpreter):
    numbers = ((3, 10, 4), (3, 12, 0), (3, 13, 2))
    return matrix.asked([interpreter(f"python{n}", n) for n in numbers])


def test_every_python_gets_both_ends_and_the_newest_pre_releases(matrix, three):
    assert names(matrix.every(three)) == [
        *("3.10:lowest", "3.10:newest", "3.12:lowest", "3.12:newest"),
        *("3.13:lowest", "3.13:newest", "3.13:pre-releases"),
    ]


def test_the_ends_are_old_with_old_and_new_with_new(matrix, three):
    assert names(matrix.ends(three)) == ["3.10:lowest", "3.13:newest"]
    assert names(matrix.ends(three[:1])) == ["3.10:lowest"]


def test_cells_are_chosen_by_name(matrix, three):
    cells = matrix.every(three)
    assert names(matrix.chosen(cells, ["3.12:newest"])) == ["3.12:newest"]
    assert matrix.chosen(cells, []) == cells
    with pytest.raises(SystemExit, match=r"expected --only out of .*, got 3\.9:lowest"):
        matrix.chosen(cells, ["3.9:lowest"])


def test_found_is_the_newest_release_of_each_version(
    matrix, interpreter, tmp_path, monkeypatch
):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    interpreter("python3", (3, 11, 2))
    interpreter("python3.9", (3, 9, 20))
    interpreter("python3.12", (3, 12, 1))
    newer = interpreter("python", (3, 11, 10), "pyenv/versions/3.11.10/bin")
    broken = tmp_path / "bin" / "python3.13"
    broken.write_text("#!/bin/sh\nexit 127\n")  # as pyenv's shim of another version
    broken.chmod(0o755)
    pythons = matrix.found()
    assert [python.version for python in pythons] == ["3.11.10", "3.12.1"]
    assert pythons[0].path == newer


def test_a_program_that_is_no_python_is_refused_by_name(matrix, tmp_path):
    with pytest.raises(SystemExit, match=r"expected a CPython .*, got .*/absent"):
        matrix.asked([tmp_path / "absent"])


def test_networks_are_compared_without_their_manifest(cell):
    content = model_file().read_bytes()
    assert cell.network(model_file()) == without_manifest(content) != content


def test_a_cell_passes_only_with_demo_network_and_tests(cell):
    demo = {"exit": 0, "int8_made": True, "network_equal": True}
    tests = {"exit": 0, "passed": 3, "failed": 0, "skipped": 1}
    assert cell.has_passed({"demo": demo, "tests": tests})
    for broken in (
        {"demo": demo},
        {"demo": {**demo, "exit": 1}, "tests": tests},
        {"demo": {**demo, "network_equal": False}, "tests": tests},
        {"demo": demo, "tests": {**tests, "exit": 1}},
        {"demo": demo, "tests": {**tests, "passed": 0}},
    ):
        assert not cell.has_passed(broken)


def test_a_cell_without_tests_passes_by_its_demo(cell):
    demo = {"exit": 0, "network_equal": True}
    assert cell.has_passed({"demo": demo}, tested=False)
    assert not cell.has_passed({"demo": {**demo, "exit": 1}}, tested=False)


def test_only_packages_that_the_project_names_are_pinned(cell):
    pins = """
ai-edge-litert==2.2.0
    # via edgeseg (pyproject.toml)
backports-strenum==1.3.1
    # via ai-edge-litert
Pillow==10.3.0 ; python_version < '3.13'
types_jsonschema==4.20.0
av==14.2.0
"""
    assert [line.split("==")[0] for line in cell.named_pins(pins).splitlines()] == [
        "ai-edge-litert",
        "Pillow",
        "types_jsonschema",
        "av",
    ]


def test_the_tests_of_a_cell_exist(cell, root):
    for path, _, name in (test.partition("::") for test in cell.TESTS):
        assert name in (root / path).read_text("utf-8")


def test_tests_are_counted_from_pytests_report(cell, tmp_path):
    report = tmp_path / "tests.xml"
    report.write_text(
        '<testsuites><testsuite tests="9" failures="1" errors="2" skipped="3"/>'
        "</testsuites>"
    )
    assert cell.counts(report) == {"passed": 3, "failed": 3, "skipped": 3}
    assert cell.counts(tmp_path / "none.xml")["passed"] == 0


def test_the_first_command_is_the_readmes(cell):
    assert cell.first_command() == "pip install '.[convert]' && edgeseg demo"


def test_a_record_keeps_the_other_cells_of_the_same_model(matrix, tmp_path):
    path = tmp_path / "matrix.json"
    first = {"date": "2001-01-01"}
    old, new = ({"python": "3.9.1", "kind": kind, "seconds": 1} for kind in KINDS[:2])
    later = {"python": "3.10.4", "kind": "lowest", "seconds": 1}

    def cells():
        return json.loads(path.read_text())["cells"]

    matrix.write(path, [{**later, **first}, {**old, **first}])
    matrix.write(path, [{**new, **first}, {**old, "seconds": 2, **first}])
    assert cells() == [
        {**old, "seconds": 2, **first},
        {**new, **first},
        {**later, **first},
    ]
    matrix.write(path, [new])
    assert cells()[0]["date"] == "2001-01-01" < cells()[1]["date"]
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "shipped_network_sha256": "0"}))
    matrix.write(path, [new])
    assert [cell["kind"] for cell in cells()] == ["newest"]
