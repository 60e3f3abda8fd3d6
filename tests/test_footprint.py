"""Commands that only look leave no file and no noise, whatever the home is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ONNX = Path(__file__).parent / "devices" / "pointwise.onnx"

# the command, then whether ONNX Runtime was imported on the way
LOOK = """
import sys
from edgeseg.runtime.cli import main

main({arguments!r}, standalone_mode=False)
sys.exit("imported onnxruntime" if "onnxruntime" in sys.modules else 0)
"""
OPEN = """
import sys
from pathlib import Path
from edgeseg.devices import open_device

open_device("desktop:onnx", Path(sys.argv[1])).close()
"""


@pytest.fixture
def place(tmp_path):
    """A folder that holds all that a command could write to, and how it is seen."""
    folders = {
        "HOME": "home",
        "PWD": "cwd",
        "TMPDIR": "temporary",
        "XDG_CACHE_HOME": "cache",
        "XDG_CONFIG_HOME": "config",
        "XDG_DATA_HOME": "data",
        "XDG_STATE_HOME": "state",
        "XDG_RUNTIME_DIR": "runtime",
    }
    seen = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    seen.pop("ORT_DISABLE_TELEMETRY", None)
    for variable, name in folders.items():
        (tmp_path / name).mkdir()
        seen[variable] = str(tmp_path / name)
    return tmp_path, seen


def home_as_it_is(place, seen):
    for variable in [name for name in seen if name.startswith("XDG_")]:
        del seen[variable]


def home_is_nowhere(place, seen):
    home_as_it_is(place, seen)
    seen["HOME"] = "/nonexistent"


def home_is_not_set(place, seen):
    home_as_it_is(place, seen)
    del seen["HOME"]


def home_is_closed(place, seen):
    home_as_it_is(place, seen)
    (place / "home").chmod(0o555)


def home_is_a_file(place, seen):
    home_as_it_is(place, seen)
    seen["HOME"] = str(place / "home" / "file")
    Path(seen["HOME"]).touch()


def folders_are_set(place, seen):
    pass


HOMES = [
    folders_are_set,
    home_as_it_is,
    home_is_nowhere,
    home_is_not_set,
    home_is_closed,
    home_is_a_file,
]


def python(code, place, seen, *arguments):
    before = everything(place)
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=seen,
        cwd=place / "cwd",
        capture_output=True,
        text=True,
    )
    assert everything(place) == before
    assert done.stderr == ""
    return done


def everything(folder):
    """List all but the one note that a stranger's model ran, in the user's cache."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.name not in (".cache", "edgeseg", "first-inference")
        and path.parent.name != "first-inference"
    )


@pytest.mark.parametrize("arrange", HOMES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("command", ["devices", "doctor"])
def test_a_look_leaves_nothing(command, arrange, place):
    pytest.importorskip("onnxruntime", reason="needs onnxruntime: not installed")
    arrange(*place)
    done = python(LOOK.format(arguments=[command, "--json"]), *place)
    json.loads(done.stdout)
    assert done.returncode == 0


@pytest.mark.parametrize("arrange", HOMES, ids=lambda f: f.__name__)
def test_onnx_runtime_runs_without_its_telemetry(arrange, place):
    pytest.importorskip("onnxruntime", reason="needs onnxruntime: not installed")
    nowhere = Path("/nonexistent")
    was_there = nowhere.exists()
    arrange(*place)
    assert python(OPEN, *place, ONNX).returncode == 0
    assert nowhere.exists() == was_there
