"""The shipped model converted on another x86-64 processor than this machine's."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from emulated.conversion import RESULT, SHIPPED
from emulated.difference import difference
from emulated.environment import run
from emulated.record import convert_with
from emulated.unavailable import UnavailableError
from emulated.x86 import EMULATOR, make_python

from edgeseg.runtime.shipped import model_file

pytestmark = pytest.mark.long

# Prints what runs the Python that it starts: an emulator hides itself from the latter
CHILDS_PROGRAM = """\
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print(sys.executable, flush=True)
subprocess.run(["readlink", f"/proc/{child.pid}/exe"], check=True)
child.communicate(b"\\n")
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    try:
        return make_python(tmp_path_factory.mktemp("with a space") / "emulated")
    except UnavailableError as error:
        pytest.skip(f"no emulated processor: {error}")


def test_python_and_what_it_starts_are_emulated(python):
    done = run([python, "-c", CHILDS_PROGRAM])
    executable, program = done.stdout.splitlines()
    assert executable == str(python)
    assert program.endswith(f"/{EMULATOR}")


def test_packages_are_those_of_this_environment(python):
    look = "import json, numpy, edgeseg.runtime as e; print(json.dumps("
    look += "[numpy.__version__, numpy.__file__, e.__file__]))"
    import numpy

    import edgeseg.runtime

    here = [numpy.__version__, numpy.__file__, edgeseg.runtime.__file__]
    assert json.loads(run([python, "-c", look]).stdout) == here


def test_the_shipped_int8_file_comes_out_byte_for_byte(python, tmp_path):
    made = convert_with(python, tmp_path)
    assert made["emulator"] == EMULATOR
    found = difference(
        model_file(SHIPPED).read_bytes(), (tmp_path / RESULT).read_bytes()
    )
    assert found["bytes_equal"], found
