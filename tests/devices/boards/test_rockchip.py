"""A Rockchip NPU, with a stand-in for rknn-toolkit-lite2.

The stand-in has the calls of that package's own ``rknn_lite.py``, their arguments, and
what they return. Its chip normalizes pixels and answers with random weights.
"""

from __future__ import annotations

import os
import sys
import types
from importlib.machinery import ModuleSpec

import numpy as np
import pytest
from machines import lay, tree
from rknn_files import rknn_file

from edgeseg.devices import (
    MissingDriverError,
    ModelError,
    check_device,
    open_device,
)
from edgeseg.devices.boards.rockchip import PROFILE, RockchipNpu
from edgeseg.runtime import Manifest, Segmenter
from edgeseg.runtime.model.embedded import sidecar_path

LABELS = ("background", "one", "two")
WEIGHTS = np.random.default_rng(2).normal(size=(3, 3)).astype(np.float32)


def answer_to(pixels):
    """Return what the network answers to ``(1, 16, 24, 3)`` pixels, channels last."""
    real = (pixels.astype(np.float32) - 127.5) / 127.5
    return real[:, ::2, ::2] @ WEIGHTS


class RKNNLite:
    open_now = 0
    loads, starts, answers = 0, 0, True

    def __init__(self, verbose=False, verbose_file=None):
        RKNNLite.open_now += 1

    def load_rknn(self, path, key_path=None):
        with open(path, "rb") as file:
            assert file.read(4) == b"RKNN"
        return RKNNLite.loads

    def init_runtime(self, target=None, device_id=None, async_mode=False, core_mask=0):
        if RKNNLite.starts:
            os.write(1, b"E RKNN: driver is too old\n")
        return RKNNLite.starts

    def inference(
        self, inputs, data_type=None, data_format=None, inputs_pass_through=None
    ):
        (pixels,) = inputs
        assert (data_format, pixels.dtype) == (["nhwc"], np.uint8)
        if not RKNNLite.answers:
            return None
        return [np.ascontiguousarray(answer_to(pixels).transpose(0, 3, 1, 2))]

    def release(self):
        RKNNLite.open_now -= 1


@pytest.fixture
def package(monkeypatch):
    outer, inner = types.ModuleType("rknnlite"), types.ModuleType("rknnlite.api")
    outer.__spec__ = ModuleSpec("rknnlite", None)
    inner.RKNNLite = RKNNLite
    monkeypatch.setitem(sys.modules, "rknnlite", outer)
    monkeypatch.setitem(sys.modules, "rknnlite.api", inner)
    monkeypatch.setattr(RKNNLite, "open_now", 0)


@pytest.fixture
def board(tmp_path):
    files = tree("Radxa ROCK 5B", "radxa,rock-5b", "rockchip,rk3588")
    return lay(tmp_path / "root", {**files, "usr/lib/librknnrt.so": ""})


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "net.rknn"
    path.write_bytes(rknn_file())
    manifest = Manifest(
        labels=LABELS, mean=(0.0,) * 3, std=(1.0,) * 3, resize="half-pixel"
    )
    sidecar_path(path).write_text(manifest.to_json())
    return path


@pytest.mark.usefixtures("package")
def test_an_npu_keeps_the_contract(board, model):
    device = RockchipNpu(model, root=board)
    assert device.inputs[0].shape == (1, 16, 24, 3)
    assert device.outputs[0].shape == (1, 8, 12, 3)
    assert device.describe()["device"] == "rockchip:rk3588"
    assert RKNNLite.open_now == 1
    check_device(device)
    assert RKNNLite.open_now == 0


@pytest.mark.usefixtures("package")
def test_pixels_go_in_and_the_classes_are_those_of_the_same_scores(board, model):
    frame = np.random.default_rng(7).integers(0, 256, (16, 24, 3)).astype(np.uint8)
    manifest = Manifest.from_json(sidecar_path(model).read_text())
    device = RockchipNpu(model, "rk3588", root=board)
    with Segmenter(device, manifest) as segmenter:
        np.testing.assert_array_equal(segmenter.tensor(frame)[0], frame)
        ids = segmenter.segment(frame).ids
        answer = segmenter.ids_from(answer_to(frame[None]), (16, 24))
    np.testing.assert_array_equal(ids, answer)
    assert len(np.unique(ids)) == 3


@pytest.mark.usefixtures("package")
def test_what_is_missing_or_wrong_is_one_line(board, model, tmp_path, monkeypatch):
    with pytest.raises(MissingDriverError, match="no Rockchip NPU found"):
        RockchipNpu(model, root=tmp_path / "elsewhere")
    with pytest.raises(MissingDriverError, match="has an rk3588, not an rk3566"):
        RockchipNpu(model, "rk3566", root=board)
    model.write_bytes(rknn_file(chips=["rk3568"]))
    with pytest.raises(ModelError, match=r"compiled for rk3568, .* --device rk3588"):
        RockchipNpu(model, root=board)
    model.write_bytes(rknn_file(image=(1, 7)))
    with pytest.raises(ModelError, match="takes no single picture"):
        RockchipNpu(model, root=board)
    model.write_bytes(rknn_file())
    monkeypatch.setattr(RKNNLite, "starts", -1)
    with pytest.raises(ModelError, match=r"driver is too old.*librknnrt\.so as new"):
        RockchipNpu(model, root=board)
    assert RKNNLite.open_now == 0
    monkeypatch.setattr(RKNNLite, "starts", 0)
    monkeypatch.setattr(RKNNLite, "answers", False)
    with (
        RockchipNpu(model, root=board) as device,
        pytest.raises(ModelError, match="inference failed"),
    ):
        device.infer(np.zeros((1, 16, 24, 3), np.uint8))
    (board / "usr/lib/librknnrt.so").unlink()
    with pytest.raises(MissingDriverError, match=r"librknnrt\.so is not installed"):
        RockchipNpu(model, root=board)


def test_without_the_package_it_says_how_to_get_it(board, model, monkeypatch):
    monkeypatch.setitem(sys.modules, "rknnlite", None)
    with pytest.raises(MissingDriverError, match="pip install rknn-toolkit-lite2"):
        RockchipNpu(model, root=board)


def test_a_chip_s_own_name_is_enough(model):
    for text in ("rk3588", "rockchip", "rockchip:rk3588"):
        with pytest.raises(MissingDriverError, match="no Rockchip NPU found"):
            open_device(text, model)


def test_what_devices_says(board, tmp_path):
    assert [found.state for found in PROFILE.find(tmp_path)] == ["absent"]
    assert [found.state for found in PROFILE.find(board)] == ["incomplete"]
