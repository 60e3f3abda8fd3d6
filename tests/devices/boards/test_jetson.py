"""A Jetson's paths, as far as they go without one: no GPU is an error, never a CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from machines import lay

from edgeseg.devices import MissingDriverError, ModelError, check_device, open_device
from edgeseg.devices.accelerators import find_vulkan_drivers
from edgeseg.devices.boards.jetson import PROFILE
from edgeseg.devices.compiled import CompiledDevice, unfit_processor
from edgeseg.devices.onnx import OnnxDevice

ONNX = Path(__file__).parents[1] / "pointwise.onnx"
MANIFEST = '{{"ICD": {{"library_path": "{}", "api_version": "1.3.0"}}}}'
ICD = "usr/share/vulkan/icd.d/{}.json"


def needs_compiled_models():
    pytest.importorskip("ai_edge_litert.compiled_model")
    if told := unfit_processor():
        pytest.skip(told)


def test_compiled_models_keep_the_contract(golden_model):
    needs_compiled_models()
    check_device(CompiledDevice(golden_model, name="test", accelerators=("CPU",)))


def test_compiled_models_answer_like_the_interpreter(golden_model):
    needs_compiled_models()
    rng = np.random.default_rng(0)
    with (
        CompiledDevice(golden_model, name="test", accelerators=("CPU",)) as compiled,
        open_device("desktop", golden_model) as plain,
    ):
        spec = plain.inputs[0]
        tensor = rng.integers(-128, 128, spec.shape).astype(spec.dtype)
        assert compiled.inputs == plain.inputs
        assert compiled.outputs == plain.outputs
        ours, theirs = compiled.infer(tensor)[0], plain.infer(tensor)[0]
    # int8 rounding may differ by a step between the two paths
    np.testing.assert_allclose(ours.astype(int), theirs.astype(int), atol=1)


@pytest.mark.parametrize("unit", ["gpu", "gpu-cpu"])
def test_no_gpu_is_an_error(unit, golden_model, capfd):
    needs_compiled_models()
    if any(not d.is_software for d in find_vulkan_drivers()):
        pytest.skip("a Vulkan driver is here: the GPU may well be usable")
    with pytest.raises(MissingDriverError, match="no Vulkan driver") as caught:
        open_device(f"jetson:{unit}", golden_model)
    assert "\n" not in str(caught.value)
    del caught
    assert capfd.readouterr() == ("", "")


def test_a_damaged_model_is_told_before_the_gpu(tmp_path):
    path = tmp_path / "cut.tflite"
    path.write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="not a TFLite model"):
        open_device("jetson:gpu", path)


def test_tensorrt_that_is_not_there_is_an_error():
    try:
        import onnxruntime
    except ImportError:
        words = "needs ONNX Runtime with TensorrtExecutionProvider"
    else:
        if "TensorrtExecutionProvider" in onnxruntime.get_available_providers():
            pytest.skip("TensorRT is here")
        words = "has no TensorrtExecutionProvider, only"
    with pytest.raises(MissingDriverError, match=words):
        open_device("jetson:tensorrt", ONNX)


@pytest.fixture
def processor():
    pytest.importorskip("onnxruntime", reason="needs onnxruntime: not installed")
    return lambda path: OnnxDevice(path, name="test", provider="CPUExecutionProvider")


def test_onnx_keeps_the_contract(processor):
    check_device(processor(ONNX))


def test_onnx_computes(processor):
    with processor(ONNX) as device:
        image = np.random.default_rng(0).random((1, 6, 5, 3), np.float32)
        weights = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
        # float32: three products, at most a few rounding errors of 1 apart
        np.testing.assert_allclose(device.infer(image)[0], image @ weights.T, atol=1e-6)


@pytest.mark.parametrize("content", [b"", b"nonsense", "cut"])
def test_damaged_onnx_files(processor, content, tmp_path):
    path = tmp_path / "bad.onnx"
    path.write_bytes(ONNX.read_bytes()[:90] if content == "cut" else content)
    with pytest.raises(ModelError, match=r"bad\.onnx") as caught:
        processor(path)
    assert "\n" not in str(caught.value)


def test_onnx_takes_onnx_files(processor, golden_model, tmp_path):
    with pytest.raises(ModelError, match=r"takes \.onnx files"):
        processor(golden_model)
    with pytest.raises(ModelError, match="cannot read model"):
        processor(tmp_path / "none.onnx")


def test_vulkan_drivers(tmp_path):
    lay(
        tmp_path,
        {
            ICD.format("nvidia_icd"): MANIFEST.format("libGLX_nvidia.so.0"),
            ICD.format("lvp_icd"): MANIFEST.format("libvulkan_lvp.so"),
            ICD.format("broken"): "{",
            ICD.format("strange"): "[1]",
        },
    )
    drivers = {d.name: d.is_software for d in find_vulkan_drivers(tmp_path)}
    assert drivers == {"nvidia_icd": False, "lvp_icd": True}
    states = {f.device: f.state for f in PROFILE.find(tmp_path)}
    assert states["jetson:cpu"] == "absent"
    assert states["jetson:gpu"] in ("ready", "incomplete")
