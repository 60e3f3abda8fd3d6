"""Another package brings a device and a compiler: a real one, installed or laid out."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys

import pytest

from edgeseg.converter.compilation.compile import COMPILERS, compile_model, targets
from edgeseg.devices import DEVICES, MissingDriverError, check_device, open_device
from edgeseg.devices.address import profile_of
from edgeseg.devices.inventory import find_devices

NAME = "edgeseg_abacus"
BROKEN = {
    "no_such_package": "import no_such_package_at_all",
    "syntax": "def (",
    "raising": "1 / 0",
    "empty": "",
}


@pytest.fixture(scope="module")
def source(root):
    return root / "tests" / "third_party"


@pytest.fixture
def installed(source, tmp_path, monkeypatch):
    """The package as pip lays it into a folder of packages."""
    site = tmp_path / "site"
    shutil.copytree(source / NAME, site / NAME)
    text = (source / "pyproject.toml").read_text("utf-8")
    groups = re.findall(r'entry-points\."(.*)"\]\n(\w+) = "(.*)"', text)
    assert len(groups) == 2
    lines = [f"[{group}]\n{name} = {value}\n" for group, name, value in groups]
    lay(site, "".join(lines))
    monkeypatch.syspath_prepend(str(site))
    yield site
    for name in [name for name in sys.modules if name.startswith(NAME)]:
        del sys.modules[name]


def lay(site, entry_points):
    info = site / f"{NAME}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: edgeseg-abacus\n")
    (info / "entry_points.txt").write_text(entry_points)


def run(site, *arguments):
    """Run the command in a process that finds the packages of a folder."""
    found = [str(site), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, "-m", "edgeseg", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, found))},
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_device_is_one_like_any_other(installed, golden_model):
    assert "abacus" in DEVICES.names()
    assert "abacus" in [found.device for found in find_devices()]
    assert profile_of(DEVICES, "abacus").compiler == "abacus"
    check_device(open_device("abacus:13", golden_model))


def test_its_compiler_compiles_for_it(installed, golden_model, tmp_path):
    assert "abacus:13" in targets()
    assert COMPILERS.names() == ("abacus", "edgetpu", "ethos_u", "imx500", "rockchip")
    target = tmp_path / "counted.tflite"
    result = compile_model(golden_model, "abacus:13", output=target)
    assert (result.answer.version, result.manifest) == ("1.0", True)
    assert result.answer.rows[0].status == "on 13 wires"
    check_device(open_device("abacus:13", target))


def test_the_commands_list_it(installed, golden_model, tmp_path):
    listed = run(installed, "devices")
    assert re.search(r"abacus +ready +beads on wires", listed.stdout), listed.stderr
    target = str(tmp_path / "out.tflite")
    compiled = run(
        installed, "compile", str(golden_model), "--device", "abacus:13", "-o", target
    )
    assert "abacus 1.0 for abacus:13: 33 of 33 operators mapped" in compiled.stdout
    assert run(installed, "check", target, "--device", "abacus").returncode == 0
    assert "abacus" in run(installed, "check", target, "--device", "abakus").stderr


def test_without_it_nothing_is_left(tmp_path):
    assert "abacus" not in DEVICES.names()
    assert "abacus" not in run(tmp_path, "devices").stdout


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_broken_package_is_named_and_breaks_nothing_else(body, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "broken_chip.py").write_text(body)
    lay(tmp_path, "[edgeseg.devices]\nchip = broken_chip\ndesktop = broken_chip\n")
    with pytest.raises(MissingDriverError, match="'chip' of the package edge") as error:
        DEVICES.load("chip")
    assert "\n" not in str(error.value)
    sys.modules.pop("broken_chip", None)
    states = {found.device: found.state for found in find_devices()}
    assert states["chip"] == "incomplete"
    assert states["desktop:cpu"] != "incomplete"  # the file's own name stays the file's
    assert "coral" in targets()
    sys.modules.pop("broken_chip", None)


def test_pip_installs_it(source, tmp_path):
    for needed in ("pip", "setuptools"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"needs {needed} in this environment: not there")
    if int(importlib.metadata.version("setuptools").split(".")[0]) < 77:
        pytest.skip("needs setuptools 77 or later in this environment")
    copied = shutil.copytree(source, tmp_path / "source")
    site = tmp_path / "site"
    command = ["install", "--no-deps", "--no-build-isolation", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *command, "--target", site, copied],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"abacus +ready +beads on wires", run(site, "devices").stdout)
