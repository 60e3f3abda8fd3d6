"""Which wheel is deployed."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest
from loopback_board import write_wheel

from edgeseg.devices import EdgesegError
from edgeseg.runtime.remote.packing import wheel_file

PACK = "from edgeseg.runtime.remote import packing; print(packing.wheel_file(None))"


@pytest.fixture(scope="module")
def built():
    """Build what runs here: from its source, or from its installed files."""
    try:
        path = wheel_file(None)
    except EdgesegError as error:
        pytest.skip(f"needs what builds wheels: {error}")
    assert wheel_file(None) == path  # built once
    return path


def test_the_wheel_holds_what_runs_here(built, root):
    with zipfile.ZipFile(built) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        source = archive.read("edgeseg/runtime/remote/packing.py").decode()
    assert "edgeseg/runtime/shipped/animals.tflite" in names
    assert "edgeseg/runtime/shipped/voc.tflite" in names
    assert "edgeseg/runtime/shipped/models.json" in names
    assert "edgeseg/runtime/remote/board/serving.py" in names
    assert "edgeseg/benchmarks/commands/bench.py" in names
    left_out = ("/results/", "tests/", "edgeseg/converter/", "/studies/")
    assert not [name for name in names if any(part in name for part in left_out)]
    assert built.stat().st_size < 6_000_000
    assert source == (root / "runtime/remote/packing.py").read_text("utf-8")


@pytest.fixture(scope="module")
def from_install(built, tmp_path_factory):
    """Install that wheel alone, and give what runs code of it."""
    folder = tmp_path_factory.mktemp("install")
    place = folder / "site"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*install, "--target", str(place), str(built)], check=True)
    # the packages of this environment behind those that were just installed
    head = f"import sys; sys.path.insert(0, {str(place)!r})\n" + (
        "sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f)]\n"
    )

    def call(code):
        return subprocess.run(
            [sys.executable, "-c", head + code],
            capture_output=True,
            text=True,
            cwd=folder,
            env={"XDG_CACHE_HOME": str(folder / "cache"), "PATH": ""},
        )

    return call


def test_an_install_is_packed_into_the_same_wheel(built, from_install):
    """What is deployed from an install and from its source are equal, byte for byte."""
    done = from_install(PACK)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(done.stdout.strip()) as packed, zipfile.ZipFile(built) as ours:
        assert packed.namelist() == ours.namelist()
        for name in packed.namelist():
            assert packed.read(name) == ours.read(name), name


@pytest.mark.parametrize("command", ["convert", "finetune", "reference"])
def test_what_stays_on_the_workstation_says_so_on_the_board(command, from_install):
    call = f"from edgeseg.runtime.cli import main; main([{command!r}, '--help'])"
    done = from_install(call)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: edgeseg.converter is not installed")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["bench", "eval", "parity", "compare", "run"])
def test_what_runs_on_the_board_is_there(command, from_install):
    call = f"from edgeseg.runtime.cli import main; main([{command!r}, '--help'])"
    done = from_install(call)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_same_files_make_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    wheels = [write_wheel(tmp_path / name) for name in ("a", "b")]
    assert wheels[0].read_bytes() == wheels[1].read_bytes()
