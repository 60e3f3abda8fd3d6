"""A Hailo chip, with a stand-in for HailoRT's Python package.

The stand-in has the calls that HailoRT's own examples make. Its chip normalizes pixels
and answers with a network of random weights.
"""

from __future__ import annotations

import sys
import types
from importlib.machinery import ModuleSpec

import numpy as np
import pytest
from machines import lay

from edgeseg.devices import MissingDriverError, ModelError, check_device, open_device
from edgeseg.devices.boards.hailo import PROFILE, Hailo
from edgeseg.devices.placement import check_model
from edgeseg.runtime import Manifest, Segmenter
from edgeseg.runtime.model.embedded import sidecar_path

LABELS = ("background", "one", "two")
WEIGHTS = np.random.default_rng(2).normal(size=(3, 3)).astype(np.float32)


def answer_to(pixels):
    """Return what the network answers to ``(1, 16, 24, 3)`` pixels."""
    real = (pixels.astype(np.float32) - 127.5) / 127.5
    return real[:, ::2, ::2] @ WEIGHTS


class HailoRTException(Exception):  # noqa: N818 (their name)
    pass


class Info:
    def __init__(self, name, shape):
        self.name, self.shape = name, shape


class Opened:
    """What is opened and closed."""

    open_now = 0

    def __enter__(self):
        Opened.open_now += 1
        return self

    def __exit__(self, *_):
        Opened.open_now -= 1


class HEF:
    def __init__(self, path):
        with open(path, "rb") as file:
            if b"for another chip" in file.read():
                raise HailoRTException("HEF file is not compatible with device")

    def get_input_vstream_infos(self):
        return [Info("net/input_layer1", (16, 24, 3))]

    def get_output_vstream_infos(self):
        return [Info("net/conv9", (8, 12, 3))]


class Group:
    is_active = False

    def create_params(self):
        return {}

    def activate(self, params):
        Group.is_active = True
        return Opened()


class VDevice(Opened):
    is_busy = False

    def __enter__(self):
        if VDevice.is_busy:
            raise HailoRTException("HAILO_OUT_OF_PHYSICAL_DEVICES")
        return super().__enter__()

    def configure(self, hef, params):
        assert params == {"interface": "PCIe"}
        return [Group()]


class InferVStreams(Opened):
    def __init__(self, group, inputs, outputs):
        assert (inputs, outputs) == ("UINT8", "FLOAT32")

    def infer(self, given):
        assert Group.is_active
        (pixels,) = given.values()
        if not pixels.any():
            return {"net/conv9": np.zeros((1, 8, 12, 3), np.float32)}
        return {"net/conv9": answer_to(pixels)}


class Params:
    @staticmethod
    def make(group, format_type):
        return format_type

    @staticmethod
    def create_from_hef(hef, interface):
        return {"interface": interface}


@pytest.fixture
def hailort(monkeypatch):
    module = types.ModuleType("hailo_platform")
    module.__version__ = "4.20.0"
    module.__spec__ = ModuleSpec("hailo_platform", None)
    module.HEF, module.VDevice, module.InferVStreams = HEF, VDevice, InferVStreams
    module.InputVStreamParams = module.OutputVStreamParams = Params
    module.ConfigureParams = Params
    module.FormatType = types.SimpleNamespace(UINT8="UINT8", FLOAT32="FLOAT32")
    module.HailoStreamInterface = types.SimpleNamespace(PCIe="PCIe")
    module.HailoRTException = HailoRTException
    monkeypatch.setitem(sys.modules, "hailo_platform", module)
    monkeypatch.setattr(Opened, "open_now", 0)
    return module


@pytest.fixture
def board(tmp_path):
    return lay(tmp_path / "root", {"dev/hailo0": ""})


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "net.hef"
    path.write_bytes(b"\x01HEF" + bytes(60))
    manifest = Manifest(
        labels=LABELS, mean=(0.0,) * 3, std=(1.0,) * 3, resize="half-pixel"
    )
    sidecar_path(path).write_text(manifest.to_json())
    return path


@pytest.mark.usefixtures("hailort")
def test_a_hailo_chip_keeps_the_contract(board, model):
    device = Hailo(model, root=board)
    assert device.inputs[0].shape == (1, 16, 24, 3)
    assert device.describe()["version"] == "4.20.0"
    assert Opened.open_now == 3
    check_device(device)
    assert Opened.open_now == 0


@pytest.mark.usefixtures("hailort")
def test_pixels_go_in_and_the_classes_are_those_of_the_same_scores(board, model):
    frame = np.random.default_rng(7).integers(1, 256, (16, 24, 3)).astype(np.uint8)
    device = Hailo(model, root=board)
    manifest = Manifest.from_json(sidecar_path(model).read_text())
    with Segmenter(device, manifest) as segmenter:
        tensor = segmenter.tensor(frame)
        np.testing.assert_array_equal(tensor[0], frame)
        ids = segmenter.segment(frame).ids
        answer = segmenter.ids_from(answer_to(frame[None]), (16, 24))
    np.testing.assert_array_equal(ids, answer)
    assert len(np.unique(ids)) == 3


@pytest.mark.usefixtures("hailort")
def test_what_is_missing_or_wrong_is_one_line(board, model, tmp_path, monkeypatch):
    with pytest.raises(MissingDriverError, match="no /dev/hailo0"):
        open_device("hailo", model)
    monkeypatch.setattr(VDevice, "is_busy", True)
    with pytest.raises(MissingDriverError, match="does another program use it"):
        Hailo(model, root=board)
    monkeypatch.setattr(VDevice, "is_busy", False)
    model.write_bytes(b"\x01HEF for another chip")
    with pytest.raises(ModelError, match="compiled for this one"):
        Hailo(model, root=board)
    assert Opened.open_now == 0
    model.write_bytes(b"TFL3")
    with pytest.raises(ModelError, match=r"no \.hef file .* --for hailo"):
        Hailo(model, root=board)
    with pytest.raises(ModelError, match="cannot read"):
        Hailo(tmp_path / "nowhere.hef", root=board)


def test_without_hailort_it_says_how_to_get_it(board, model, monkeypatch):
    monkeypatch.setitem(sys.modules, "hailo_platform", None)
    with pytest.raises(MissingDriverError, match="apt install hailo-all"):
        Hailo(model, root=board)


def test_what_devices_says(board, tmp_path):
    assert [found.state for found in PROFILE.find(tmp_path)] == ["absent"]
    assert [found.state for found in PROFILE.find(board)] == ["incomplete"]


@pytest.mark.parametrize("name", ["hailo", "imx500", "rk3588"])
def test_what_only_the_maker_s_compiler_knows_is_not_predicted(name, golden_model):
    with pytest.raises(ModelError, match="maker's compiler takes all of it"):
        check_model(golden_model, name)
