"""The contract of a device, over every plugin; and the contract's own teeth."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from strategies import quantized_specs

from edgeseg.devices import (
    DEVICES,
    MissingDriverError,
    ModelError,
    PluginFolder,
    TensorSpec,
    UnknownPluginError,
    check_device,
    open_device,
)
from edgeseg.devices.boards.fake import Fake
from edgeseg.devices.cores import physical_cores

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("EDGESEG_SHARED", ROOT.parent / "shared"))
IMAGE = TensorSpec("image", (1, 9, 7, 3), "uint8", 1 / 128, 128)
SCORES = TensorSpec("scores", (1, 5, 4, 6), "int8", 0.1, -3)
IDS = TensorSpec("ids", (1, 9, 7), "int64")


@pytest.mark.parametrize("name", DEVICES.names())
def test_every_device_keeps_the_contract(name, golden_model):
    try:
        device = open_device(name, model_for(name, golden_model), threads=1)
    except MissingDriverError as error:
        pytest.skip(f"hardware or driver is missing: {error}")
    check_device(device)


def model_for(name, golden_model):
    """The shipped model; for a chip with a compiler one that was compiled for it."""
    if name == "ethos_u":
        return golden_model.with_name("shapes_vela.tflite")
    if name != "coral":
        return golden_model
    folder = SHARED / "models" / "tflite" / "google-coral"
    found = sorted(folder.glob("*_edgetpu.tflite"))
    if not found:
        pytest.skip(f"needs a compiled model in {folder}: not there")
    return found[0]


@pytest.mark.parametrize("output", [SCORES, IDS])
def test_a_fake_keeps_the_contract(output):
    check_device(Fake((IMAGE,), (output,)))


class ChangesItsArgument(Fake):
    def infer(self, *tensors):
        result = super().infer(*tensors)
        tensors[0][:] = 0
        return result


class AnswersInAnotherShape(Fake):
    def infer(self, *tensors):
        return tuple(array[:, :1] for array in super().infer(*tensors))


class RunsAfterClose(Fake):
    def close(self):
        pass


class HandsOutOneBuffer(Fake):
    buffer = np.zeros(IDS.shape, np.int64)

    def infer(self, *tensors):
        super().infer(*tensors)
        self.buffer += 1
        return (self.buffer,)


@pytest.mark.parametrize(
    "broken",
    [ChangesItsArgument, AnswersInAnotherShape, RunsAfterClose, HandsOutOneBuffer],
)
def test_a_broken_device_is_found_out(broken):
    with pytest.raises(AssertionError):
        check_device(broken((IMAGE,), (IDS,)))


def test_auto_is_a_device(golden_model):
    with open_device("auto", golden_model) as device:
        assert device.describe()["threads"] == physical_cores()


@pytest.mark.parametrize(
    "text", ["npu", "desktop:gpu", "fake:1", "", "_base", "deskto"]
)
def test_unknown_devices_list_the_known(text, golden_model):
    with pytest.raises(UnknownPluginError, match=r"known: .*(desktop|fake)"):
        open_device(text, golden_model)


def test_a_near_miss_is_suggested(golden_model):
    with pytest.raises(UnknownPluginError, match="did you mean 'desktop'"):
        open_device("destkop", golden_model)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    package = tmp_path / "plugins_of_a_test"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "needy.py").write_text("import a_package_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    folder = PluginFolder("gadget", "plugins_of_a_test")
    assert folder.names() == ("needy",)
    with pytest.raises(MissingDriverError, match="a_package_that_is_not_there"):
        folder.load("needy")


@pytest.mark.parametrize("size", [0, 3, 100, 5000, 60_000])
def test_truncated_models_are_refused(size, golden_model, tmp_path):
    path = tmp_path / "cut.tflite"
    path.write_bytes(golden_model.read_bytes()[:size])
    with pytest.raises(ModelError, match=r"cut\.tflite"):
        open_device("desktop", path)


def test_damaged_models_end_in_an_error_or_run(golden_model, tmp_path):
    content = np.frombuffer(golden_model.read_bytes(), np.uint8)
    path = tmp_path / "damaged.tflite"
    for seed in range(20):
        rng = np.random.default_rng(seed)
        damaged = content.copy()
        damaged[rng.integers(8, 4000, 30)] = rng.integers(0, 256, 30)
        path.write_bytes(damaged.tobytes())
        with contextlib.suppress(ModelError), open_device("desktop", path) as device:
            assert device.inputs


@given(quantized_specs)
def test_quantize_undoes_dequantize(spec):
    limits = np.iinfo(spec.dtype)
    stored = np.linspace(limits.min, limits.max, 300).astype(spec.dtype)
    np.testing.assert_array_equal(spec.quantize(spec.dequantize(stored)), stored)


@given(quantized_specs)
def test_quantization_is_off_by_half_a_step_at_most(spec):
    limits = np.iinfo(spec.dtype)
    low, high = ((v - spec.zero_point) * spec.scale for v in (limits.min, limits.max))
    real = np.linspace(low, high, 301)
    error = np.abs(spec.dequantize(spec.quantize(real)) - real)
    # float32 keeps 24 bits of the largest value
    np.testing.assert_array_less(
        error, 0.5 * spec.scale + 2**-22 * max(abs(low), abs(high)) + 1e-12
    )


def test_values_out_of_range_are_clipped():
    spec = TensorSpec("t", (1,), "int8", 0.5, 0)
    np.testing.assert_array_equal(
        spec.quantize(np.array([-1e9, 1e9])), np.array([-128, 127], np.int8)
    )
