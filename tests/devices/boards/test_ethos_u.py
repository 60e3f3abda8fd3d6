"""An Ethos-U's way from the device string to an inference, with a stand-in delegate."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest
from machines import lay

from edgeseg.devices import (
    DEVICES,
    MissingDriverError,
    ModelError,
    UnknownPluginError,
    check_device,
    open_device,
)
from edgeseg.devices.address import parse_address
from edgeseg.devices.boards.ethos_u import PROFILE, EthosU

SOURCE = Path(__file__).parent / "standin_edgetpu.c"
CHIP = {"dev/ethosu0": ""}


@pytest.fixture(scope="module")
def standin(tmp_path_factory):
    compiler = f"{platform.machine()}-linux-gnu-gcc"
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler} to build a stand-in for the delegate: not there")
    path = tmp_path_factory.mktemp("library") / "libethosu_delegate.so"
    command = [compiler, "-shared", "-fPIC", "-w", '-DOPERATOR="ethos-u"']
    subprocess.run([*command, "-o", path, SOURCE], check=True)
    return path


@pytest.fixture(scope="module")
def compiled(root):
    """What Arm's compiler made of the golden model, for an Ethos-U65-256."""
    return root / "tests" / "golden" / "shapes_vela.tflite"


@pytest.fixture
def fitted(tmp_path, monkeypatch):
    monkeypatch.delenv("EDGESEG_LIBETHOSU", raising=False)
    return lay(tmp_path / "root", CHIP)


@pytest.mark.parametrize("unit", ["", "65", "65-256", "85-512"])
def test_an_ethos_u_keeps_the_contract(unit, compiled, standin, fitted, golden_model):
    lay(fitted, {"usr/lib/libethosu_op.so": standin.read_bytes()})
    device = EthosU(compiled, unit, 1, root=fitted)
    assert device.describe()["delegate"] == str(fitted / "usr/lib/libethosu_op.so")
    assert device.describe()["node"] == str(fitted / "dev/ethosu0")
    with open_device("desktop", golden_model) as plain:
        assert [t.shape for t in device.inputs] == [t.shape for t in plain.inputs]
        assert [t.shape for t in device.outputs] == [t.shape for t in plain.outputs]
    check_device(device)


def test_a_variable_names_another_library(compiled, standin, fitted, monkeypatch):
    monkeypatch.setenv("EDGESEG_LIBETHOSU", str(standin))
    with EthosU(compiled, root=fitted) as device:
        assert device.describe()["delegate"] == str(standin)


def test_what_is_not_there_is_named(compiled, golden_model, fitted, tmp_path):
    with pytest.raises(ModelError, match=r"edgeseg compile .* --device ethos-u85-256"):
        EthosU(golden_model, "85-256", root=fitted)
    with pytest.raises(MissingDriverError, match="no Arm Ethos-U found"):
        EthosU(compiled, root=tmp_path)
    with pytest.raises(
        MissingDriverError, match=r"libethosu_delegate\.so or libethosu"
    ):
        EthosU(compiled, root=fitted)
    with pytest.raises(MissingDriverError, match="beside a microcontroller"):
        EthosU(compiled, "55-128", root=fitted)


def test_a_library_that_cannot_be_loaded(compiled, fitted):
    lay(fitted, {"usr/lib/libethosu_delegate.so": b"not a library"})
    with pytest.raises(MissingDriverError, match="is no shared library"):
        EthosU(compiled, root=fitted)


def test_a_delegate_that_finds_no_chip(compiled, standin, fitted, monkeypatch):
    monkeypatch.setenv("EDGESEG_LIBETHOSU", str(standin))
    monkeypatch.setenv("STANDIN_REFUSES", "1")
    with pytest.raises(MissingDriverError, match="cannot open the Ethos-U"):
        EthosU(compiled, root=fitted)


def test_the_state_says_what_is_missing(standin, fitted, tmp_path):
    assert PROFILE.find(tmp_path)[0].state == "absent"
    assert PROFILE.find(fitted)[0].state == "incomplete"
    lay(fitted, {"usr/lib/libethosu_delegate.so": standin.read_bytes()})
    assert PROFILE.find(fitted)[0].state == "ready"


def test_a_compiled_file_elsewhere_says_what_it_needs(compiled):
    with pytest.raises(ModelError, match="compiled for an Ethos-U and needs one"):
        open_device("desktop", compiled)


def test_chips_are_written_as_their_maker_does():
    assert str(parse_address("ethos-u65-512", DEVICES)) == "ethos_u:65-512"
    assert str(parse_address("ethos_u:85-256", DEVICES)) == "ethos_u:85-256"
    assert str(parse_address("ethos-u65", DEVICES)) == "ethos_u:65"
    with pytest.raises(UnknownPluginError, match="has no unit '65-300'"):
        parse_address("ethos-u65-300", DEVICES)
    with pytest.raises(UnknownPluginError, match="did you mean 'ethos_u'"):
        parse_address("ethos-u", DEVICES)
