"""A Coral's way from the device string to an inference, with a stand-in libedgetpu."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest
from machines import lay, pci_coral, usb_coral

from edgeseg.devices import MissingDriverError, ModelError, check_device, open_device
from edgeseg.devices.accelerators import find_edge_tpus
from edgeseg.devices.boards.coral import PROFILE, Coral, open_coral
from edgeseg.devices.delegate import library_architecture
from edgeseg.devices.edgetpu import misfit, tensorflow_of
from edgeseg.devices.open import automatic_device

SOURCE = Path(__file__).parent / "standin_edgetpu.c"
COMPILED = "deeplabv3_mnv2_dm05_pascal_quant_edgetpu.tflite"
AARCH64 = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\xb7\x00" + bytes(44)


@pytest.fixture(scope="module")
def compiler():
    """A compiler for this interpreter's processor, which may be an emulated one."""
    name = f"{platform.machine()}-linux-gnu-gcc"
    if shutil.which(name) is None:
        pytest.skip(f"needs {name} to build a stand-in for libedgetpu: not there")
    return name


@pytest.fixture(scope="module")
def standin(compiler, tmp_path_factory):
    path = tmp_path_factory.mktemp("library") / "libedgetpu.so.1"
    command = [compiler, "-shared", "-fPIC", "-w", "-o", path, SOURCE]
    subprocess.run(command, check=True)
    return path


@pytest.fixture
def library(standin, monkeypatch):
    monkeypatch.setenv("EDGESEG_LIBEDGETPU", str(standin))
    return standin


@pytest.fixture
def plugged(tmp_path):
    return lay(tmp_path / "root", usb_coral())


@pytest.fixture(scope="module")
def compiled(shared):
    return shared / "models" / "tflite" / "google-coral" / COMPILED


@pytest.mark.parametrize(
    ("unit", "name"), [("", "usb:0"), ("usb", "usb:0"), ("pci:1", "pci:1")]
)
def test_a_coral_keeps_the_contract(unit, name, compiled, library, tmp_path):
    lay(tmp_path, {**usb_coral(), **pci_coral("a"), **pci_coral("b")})
    device = Coral(compiled, unit, 1, root=tmp_path)
    assert device.describe()["device"] == f"coral:{name}"
    assert device.describe()["delegate"] == str(library)
    check_device(device)


def test_auto_takes_a_coral_for_compiled_models_alone(compiled, plugged, golden_model):
    assert automatic_device(compiled, plugged) == "coral"
    assert automatic_device(golden_model, plugged) == "desktop"


def test_auto_without_a_coral_says_what_the_file_needs(compiled, tmp_path):
    assert automatic_device(compiled, tmp_path) == "desktop"
    with pytest.raises(ModelError, match="compiled for the Edge TPU and needs a Coral"):
        open_device("desktop", compiled)


def test_nothing_runs_on_the_processor_unasked(golden_model, plugged, library):
    with pytest.raises(ModelError, match="not compiled for the Edge TPU"):
        Coral(golden_model, "usb:0", root=plugged)


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("", "no Coral found"),
        ("pci", "no Coral on PCI"),
        ("usb:3", "here are coral:usb:0"),
    ],
)
def test_a_coral_that_is_not_there(unit, words, compiled, library, tmp_path):
    lay(tmp_path, {} if unit == "" else usb_coral())
    with pytest.raises(MissingDriverError, match=words):
        Coral(compiled, unit, root=tmp_path)


def test_a_missing_library(compiled, plugged, monkeypatch):
    monkeypatch.delenv("EDGESEG_LIBEDGETPU", raising=False)
    with pytest.raises(MissingDriverError, match="sudo apt install libedgetpu1-std"):
        Coral(compiled, "usb:0", root=plugged)
    monkeypatch.setenv("EDGESEG_LIBEDGETPU", "/nowhere/libedgetpu.so.1")
    with pytest.raises(MissingDriverError, match="cannot read libedgetpu /nowhere"):
        Coral(compiled, "usb:0", root=plugged)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (AARCH64, "is built for aarch64, this is x86_64"),
        (b"not a library", "is no shared library"),
        (b"", "is no shared library"),
    ],
)
def test_a_library_that_cannot_be_loaded(
    content, words, compiled, plugged, monkeypatch
):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    lay(plugged, {"usr/lib/libedgetpu.so.1": content})
    monkeypatch.delenv("EDGESEG_LIBEDGETPU", raising=False)
    with pytest.raises(MissingDriverError, match=words) as caught:
        Coral(compiled, "usb:0", root=plugged)
    assert "\n" not in str(caught.value)


def test_a_library_cut_short_or_of_another_kind(
    standin, compiler, compiled, plugged, tmp_path, monkeypatch
):
    cut = tmp_path / "cut.so"
    cut.write_bytes(standin.read_bytes()[:2000])
    other = tmp_path / "other.so"
    command = [compiler, "-shared", "-o", other, "-x", "c", "/dev/null"]
    subprocess.run(command, check=True)
    for path, words in ((cut, "is cut short"), (other, "is no libedgetpu")):
        monkeypatch.setenv("EDGESEG_LIBEDGETPU", str(path))
        with pytest.raises(MissingDriverError, match=words):
            Coral(compiled, "usb:0", root=plugged)


def test_a_library_that_finds_no_device(compiled, plugged, library, monkeypatch):
    monkeypatch.setenv("STANDIN_REFUSES", "1")
    with pytest.raises(
        MissingDriverError, match=r"cannot open.*no device of this kind"
    ):
        Coral(compiled, "usb:0", root=plugged)


def test_a_library_known_to_crash_is_not_loaded(compiled, plugged, library):
    status = "Package: libedgetpu1-std\nStatus: install ok installed\nVersion: 16.0\n"
    lay(plugged, {"var/lib/dpkg/status": f"Package: a\nVersion: 1\n\n{status}"})
    with pytest.raises(MissingDriverError, match=r"kills a process.*2\.13 or later"):
        Coral(compiled, "usb:0", root=plugged)


def test_the_processor_is_taken_where_told_to(compiled, tmp_path, caplog):
    plain = compiled.with_name(COMPILED.replace("_edgetpu", ""))
    folder = tmp_path / "models"
    folder.mkdir()
    for path in (compiled, plain):
        (folder / path.name).symlink_to(path)
    with open_coral(folder / COMPILED, "or-cpu", 1, root=tmp_path) as device:
        assert "no Coral found" in device.describe()["fallback"]
        assert device.inputs
    assert "no Edge TPU is used" in caplog.text
    (folder / plain.name).unlink()
    with pytest.raises(MissingDriverError, match="no Coral found"):
        open_coral(folder / COMPILED, "or-cpu", 1, root=tmp_path)


def test_edge_tpus_are_counted_by_bus(tmp_path):
    slow = usb_coral("1-1", speed="480", started=False)
    lay(tmp_path, {**slow, **usb_coral("2-1"), **pci_coral(number=0)})
    first, second, third = find_edge_tpus(tmp_path)
    assert (first.bus, first.number, first.is_slow, first.is_started) == (
        "usb",
        0,
        True,
        False,
    )
    assert (second.number, second.is_slow, second.is_started) == (1, False, True)
    assert (third.bus, third.number, third.is_started) == ("pci", 0, True)


@pytest.mark.parametrize(
    ("files", "state", "word"),
    [
        ({}, "absent", "no Coral"),
        (usb_coral(), "incomplete", "libedgetpu.so.1 is not installed"),
        ({**usb_coral(), "usr/lib/libedgetpu.so.1": ""}, "ready", "USB Accelerator"),
        ({**usb_coral(speed="480"), "usr/lib/libedgetpu.so.1": ""}, "ready", "USB 2"),
        ({**pci_coral(), "usr/lib/libedgetpu.so.1": ""}, "incomplete", "gasket"),
    ],
)
def test_states(files, state, word, tmp_path, monkeypatch):
    monkeypatch.delenv("EDGESEG_LIBEDGETPU", raising=False)
    found = PROFILE.find(lay(tmp_path, files))[0]
    assert found.state == state
    assert word in found.hint


@pytest.mark.parametrize(
    ("library", "runtime", "version", "fits"),
    [
        ("16.0", "tflite-runtime", "2.14.0", False),
        ("16.0", "tflite-runtime", "2.11.0", True),
        ("16.0", "ai-edge-litert", "2.3.0", False),
        ("15.0-1", "tensorflow", "2.21.0", False),
        ("16.0tf2.15.0-1.bookworm", "tflite-runtime", "2.14.0", True),
        ("16.0TF2.13.1-2", "ai-edge-litert", "2.3.0", True),
        (None, "ai-edge-litert", "2.3.0", True),
    ],
)
def test_what_is_known_to_clash(library, runtime, version, fits):
    assert (misfit(library, runtime, version) is None) is fits


def test_versions_of_the_library():
    assert tensorflow_of("a new scheme") is None
    assert tensorflow_of(None) is None


def test_architectures_of_libraries(tmp_path, standin):
    path = lay(tmp_path, {"x.so": AARCH64}) / "x.so"
    assert library_architecture(path) == "aarch64"
    path.write_bytes(b"\x7fELF")
    assert library_architecture(path) is None
