"""``.onnx`` files on a board's own processor, and where they do not go."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import numpy as np
import pytest
from machines import lay, tree

from edgeseg.devices import MissingDriverError, ModelError, check_device, open_device
from edgeseg.devices.boards import jetson as jetson_file
from edgeseg.devices.boards.desktop import PROFILE
from edgeseg.devices.open import automatic_device

ONNX = Path(__file__).parent / "pointwise.onnx"
UNITS = ["desktop:onnx", "generic:onnx", "raspberry_pi:onnx"]


@pytest.fixture
def runtime():
    return pytest.importorskip("onnxruntime", reason="needs onnxruntime: not installed")


@pytest.mark.parametrize("name", UNITS)
def test_processors_keep_the_contract(name, runtime, caplog):
    with caplog.at_level(logging.ERROR):
        device = open_device(name, ONNX, threads=1)
    told = device.describe()
    assert (told["device"], told["threads"]) == (name, 1)
    assert (told["runtime"], told["version"]) == ("onnxruntime", runtime.__version__)
    check_device(device)


def test_threads_follow_the_device(runtime):
    with open_device("desktop:onnx", ONNX) as device:
        assert device.describe()["threads"] >= 1
    with open_device("desktop:onnx", ONNX, threads=2) as device:
        assert device.describe()["threads"] == 2


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "desktop:onnx"),
        (tree("NVIDIA Jetson Orin Nano", "nvidia,p3768"), "jetson:tensorrt"),
        (tree("Raspberry Pi 5 Model B", "brcm,bcm2712"), "raspberry_pi:onnx"),
        (tree("Radxa ROCK 5B", "radxa,rock-5b"), "generic:onnx"),
    ],
)
def test_auto_takes_what_runs_onnx(files, expected, tmp_path):
    assert automatic_device(ONNX, lay(tmp_path, files)) == expected


@pytest.mark.parametrize("name", ["desktop", "desktop:plain", "jetson:cpu", "generic"])
def test_tflite_devices_name_the_ones_for_onnx(name):
    with pytest.raises(ModelError, match=r"desktop:onnx .*jetson:tensorrt") as caught:
        open_device(name, ONNX)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", UNITS)
def test_without_onnx_runtime(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingDriverError, match="pip install onnxruntime"):
        open_device(name, ONNX)
    found = {entry.device: entry for entry in PROFILE.find(Path("/"))}
    assert found["desktop:onnx"].state == "incomplete"
    assert "pip install onnxruntime" in found["desktop:onnx"].hint


def test_a_renamed_tflite_file(runtime, golden_model, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(golden_model.read_bytes())
    with pytest.raises(ModelError, match=r"is a TFLite model: name it \.tflite"):
        open_device("auto", path)


def test_a_shape_that_is_not_fixed(runtime, tmp_path):
    onnx = pytest.importorskip("onnx", reason="needs onnx: not installed")
    model = onnx.load(ONNX)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "N"
    path = tmp_path / "dynamic.onnx"
    onnx.save(model, path)
    with pytest.raises(ModelError, match=r"fixed shape.*'N'.*export it"):
        open_device("desktop:onnx", path)


@pytest.mark.parametrize("size", range(1, ONNX.stat().st_size, 23))
def test_truncated_files_end_in_one_line(size, runtime, tmp_path):
    path = tmp_path / "cut.onnx"
    path.write_bytes(ONNX.read_bytes()[:size])
    with pytest.raises(ModelError, match=r"cut\.onnx") as caught:
        open_device("desktop:onnx", path)
    assert "\n" not in str(caught.value)


def test_tensors_of_another_type_are_refused(runtime):
    with (
        open_device("desktop:onnx", ONNX) as device,
        pytest.raises(ModelError, match="expected tensors"),
    ):
        device.infer(np.zeros((1, 6, 5, 3), np.uint8))


def test_engines_have_a_folder(tmp_path, monkeypatch, caplog):
    # ONNX Runtime makes the last folder of the path alone, and fails without the rest
    monkeypatch.setattr(
        jetson_file, "providers", lambda: ("TensorrtExecutionProvider",)
    )
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    options = jetson_file._engine_options()
    assert options["trt_fp16_enable"] == "True"
    assert Path(options["trt_engine_cache_path"]).is_dir()
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert "trt_engine_cache_path" not in jetson_file._engine_options()
    assert "engines are built anew each time" in caplog.text


def test_int8_files_let_tensorrt_compute_in_int8(tmp_path):
    assert jetson_file._int8_options(ONNX) == {}
    quantized = tmp_path / "int8.onnx"
    quantized.write_bytes(_int8_product(tmp_path))
    assert jetson_file._int8_options(quantized) == {"trt_int8_enable": "True"}


def test_int8_products_are_not_cut_off(runtime, tmp_path):
    # 64 products of 127 * 127 pass 16 bits many times over
    path = tmp_path / "int8.onnx"
    path.write_bytes(_int8_product(tmp_path))
    with open_device("desktop:onnx", path) as device:
        made = device.infer(np.full((1, 6, 5, 64), 1.0, np.float32))[0]
    np.testing.assert_allclose(made, 64.0, rtol=0.02)


def _int8_product(folder):
    """Return a file that sums 64 channels in int8 steps: 1 * 1 each."""
    onnx = pytest.importorskip("onnx", reason="needs the extra `onnx`")
    helper, to_tensor = onnx.helper, onnx.numpy_helper.from_array
    step, zero = np.float32(1 / 127), np.int8(0)
    weights = np.ones((64, 8), np.float32)
    constants = {"w": weights, "s": step, "z": zero, "t": np.float32(0.6)}
    pairs = [
        helper.make_node(kind, [source, scale, "z"], [target])
        for name, scale in (("x", "s"), ("w", "s"))
        for kind, source, target in (
            ("QuantizeLinear", name, f"{name}q"),
            ("DequantizeLinear", f"{name}q", f"{name}d"),
        )
    ]
    product = helper.make_node("MatMul", ["xd", "wd"], ["p"])
    behind = [
        helper.make_node("QuantizeLinear", ["p", "t", "z"], ["pq"]),
        helper.make_node("DequantizeLinear", ["pq", "t", "z"], ["y"]),
    ]
    real = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [*pairs, product, *behind],
        "product",
        [helper.make_tensor_value_info("x", real, (1, 6, 5, 64))],
        [helper.make_tensor_value_info("y", real, (1, 6, 5, 8))],
        [to_tensor(np.asarray(value), name) for name, value in constants.items()],
    )
    opset = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    return model.SerializeToString()
