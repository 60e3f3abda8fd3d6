"""The command `check`, its JSON, and what it refuses."""

from __future__ import annotations

import contextlib
import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("ai_edge_litert.tools", reason="draws graphs")

from graphs import Drawing, convolution
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.devices import (
    DEVICES,
    ModelError,
    UnknownPluginError,
)
from edgeseg.devices.address import profile_of
from edgeseg.devices.placement import check_model
from edgeseg.devices.placement.interpolation import refused_interpolation
from edgeseg.runtime.commands.check import check


@pytest.fixture
def float_model(tmp_path):
    draw = Drawing()
    kernel, bias = np.ones((5, 3, 3, 3)), np.zeros(5)
    scores = convolution(draw, draw.image((1, 8, 8, 3)), kernel, bias, (1, 8, 8, 5))
    path = tmp_path / "float.tflite"
    path.write_bytes(draw.content(scores))
    return path


def test_work_is_counted_as_papers_do(float_model):
    (operator,) = check_model(float_model, "coral").operators
    assert operator.macs == 8 * 8 * 5 * 3 * 3 * 3
    assert operator.bytes == 4 * (8 * 8 * 3 + 8 * 8 * 5 + 5 * 3 * 3 * 3 + 5)
    assert operator.shapes == "8x8x3 -> 8x8x5"


def test_json_has_the_promised_names(float_model):
    run = CliRunner().invoke(check, [str(float_model), "--device", "coral", "--json"])
    told = json.loads(run.output)
    assert {"index", "op", "placement", "reason", "macs"} <= set(told["operators"][0])
    assert told["totals"]["cpu_macs_share"] == 1
    assert told["advice"][0]["options"].startswith("--recipe int8")


def test_a_name_that_is_not_utf8_ends_in_one_line(float_model):
    flat = FlatModel(float_model.read_bytes())
    kernel = flat.graph.operators[0].inputs[1]
    flat.tensor(kernel).name = b"\xff" + flat.tensor(kernel).name[1:]
    float_model.write_bytes(flat.to_bytes())
    with pytest.raises(ModelError, match="a name in it is not UTF-8"):
        check_model(float_model, "desktop")


UNITS = [
    f"{name}:{unit.name}" if unit.name else name
    for name in DEVICES.names()
    for unit in profile_of(DEVICES, name).units
]
# the totals' line that a network of one float convolution has
TOTALS = {
    "edgetpu": "1 of 1 operators stay on the CPU",
    "gpu": "all 1 operators on the GPU, in one piece",
    "xnnpack": "all 1 operators in XNNPACK, in one piece",
    "cpu": "1 of 1 operators stay on the CPU",
    "none": "none of 1 operators is run",
    "ethosu65": "1 of 1 operators stay on the CPU",
    "ethosu85": "1 of 1 operators stay on the CPU",
}
OBSTACLES = ("edgetpu", "ethosu65", "ethosu85")


@pytest.mark.parametrize("device", UNITS)
def test_every_device_that_is_listed_has_an_answer(device, float_model):
    name, _, unit = device.partition(":")
    placement = profile_of(DEVICES, name).placement_of(unit)
    run = CliRunner().invoke(check, [str(float_model), "--device", device])
    if placement == "onnx":
        with pytest.raises(ModelError, match=f"{device} runs .onnx files.*such as"):
            check_model(float_model, device)
        return
    if placement == "unknown":
        assert "its maker's compiler" in str(run.exception)
        return
    assert run.exit_code == 0
    assert TOTALS[placement] in run.output
    assert ("first obstacle" in run.output) == (placement in OBSTACLES)


def test_every_device_is_listed_with_units():
    assert {text.partition(":")[0] for text in UNITS} == set(DEVICES.names())


def test_a_device_string_may_name_a_unit(float_model):
    assert check_model(float_model, "coral:usb:0").device == "coral"
    assert check_model(float_model, "auto").device == "desktop"
    assert check_model(float_model, "jetson").operators[0].placement == "gpu"
    cpu = check_model(float_model, "jetson:cpu")
    assert (cpu.device, cpu.operators[0].placement) == ("jetson:cpu", "xnnpack")
    with pytest.raises(UnknownPluginError, match="has no unit 'npu'"):
        check_model(float_model, "jetson:npu")


def test_an_unknown_device_is_answered_with_the_nearest(float_model):
    with pytest.raises(UnknownPluginError, match="did you mean 'raspberry_pi'"):
        check_model(float_model, "raspbery_pi")


def test_the_golden_model_is_told_a_size_whose_grids_fit(golden_model):
    """Half-pixel resizing does not fit its grids, 17 and 65, into each other."""
    result = check_model(golden_model, "coral")
    assert result.operators[0].placement == "edgetpu"
    assert result.advice[0].options == "--head logits-stride"
    assert result.advice[1].options == "--size 128"
    assert "17x17x32 -> 65x65x32 enlarges by no whole number" in result.advice[1].text


def test_files_that_are_no_models_get_one_line(tmp_path, golden_model):
    broken = tmp_path / "broken.tflite"
    content = golden_model.read_bytes()
    for wrong in (b"", b"no model at all", content[:200], content[: len(content) // 2]):
        broken.write_bytes(wrong)
        with pytest.raises(ModelError):
            check_model(broken, "coral")
    with pytest.raises(ModelError, match="cannot read"):
        check_model(tmp_path / "missing.tflite", "coral")


def test_damage_anywhere_is_an_error_or_an_answer(tmp_path, golden_model):
    random = np.random.default_rng(3)
    content = np.frombuffer(golden_model.read_bytes(), np.uint8)
    path = tmp_path / "damaged.tflite"
    for _ in range(12):
        damaged = content.copy()
        damaged[random.integers(8, len(damaged), 200)] ^= 0x55
        path.write_bytes(damaged.tobytes())
        with contextlib.suppress(ModelError):  # anything else would fail the test
            assert check_model(path, "coral").operators


def test_several_subgraphs_and_open_sizes_are_refused(tmp_path):
    draw = Drawing()
    image = draw.image((1, 1, 1, 3))
    draw.flat.tensor(image).shapeSignature = [-1, -1, -1, 3]
    path = tmp_path / "open.tflite"
    path.write_bytes(draw.content(draw.apply("RELU", [image], (1, 1, 1, 3))))
    with pytest.raises(ModelError, match=r"no fixed size \(now 1x1x1x3\)"):
        check_model(path, "coral")
    draw = Drawing()
    relu = draw.apply("RELU", [draw.image((1, 4, 4, 3))], (1, 4, 4, 3))
    draw.content(relu)
    draw.flat.model.subgraphs.append(draw.flat.graph)
    path.write_bytes(draw.flat.to_bytes())
    with pytest.raises(ModelError, match="2 subgraphs"):
        check_model(path, "coral")


def test_an_open_batch_is_told_of_on_a_coral_alone(tmp_path):
    draw = Drawing()
    image = draw.image((1, 4, 4, 3), (0.1, 0))
    draw.flat.tensor(image).shapeSignature = [-1, 4, 4, 3]
    path = tmp_path / "batch.tflite"
    path.write_bytes(
        draw.content(draw.apply("RELU", [image], (1, 4, 4, 3), steps=(0.1, 0)))
    )
    result = check_model(path, "coral")
    assert "batch is left open" in result.operators[0].reason
    assert result.advice[0].options == "--size N"
    assert check_model(path, "jetson").on_cpu == ()


def test_a_compiled_model_on_another_board_is_refused(tmp_path):
    draw = Drawing()
    image = draw.image((1, 4, 4, 3), (0.1, 0))
    made = draw.apply("CUSTOM", [image], (1, 4, 4, 2), steps=(0.1, 0))
    draw.flat.model.operatorCodes[-1].customCode = b"edgetpu-custom-op"
    path = tmp_path / "compiled.tflite"
    path.write_bytes(draw.content(made))
    with pytest.raises(ModelError, match="runs nowhere else"):
        check_model(path, "raspberry_pi")
    assert check_model(path, "coral").operators[0].placement == "edgetpu"
    assert check_model(path, "fake").operators[0].placement == "none"


@given(st.integers(2, 300), st.integers(1, 11), st.booleans())
def test_whole_steps_need_their_squares_reciprocal(cells, factor, corners):
    """An axis enlarged n-fold interpolates in n-ths, or in twice as many."""
    extra = 1 if corners else 0
    after = (cells - extra) * factor + extra
    reason = refused_interpolation((cells, cells), (after, after), corners, False)
    assert (reason == "") == (factor**2 <= 128)


def test_an_operator_without_its_tensors_is_told_as_damage(tmp_path):
    draw = Drawing()
    image = draw.image((1, 4, 4, 3), (0.1, 0))
    pad = draw.apply("PAD", [image], (1, 4, 4, 3), steps=(0.1, 0))
    path = tmp_path / "lacking.tflite"
    path.write_bytes(draw.content(pad))
    with pytest.raises(ModelError, match="operator 0 PAD: it reads 1 tensors"):
        check_model(path, "coral")


def test_a_model_is_checked_without_the_interpreters_schema(float_model, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.schema_py_generated", None)
    assert check_model(float_model, "coral").operators
