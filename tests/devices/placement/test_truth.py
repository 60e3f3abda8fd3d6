"""Predictions held against what compilers and interpreters really did."""

from __future__ import annotations

import pytest

pytest.importorskip("ai_edge_litert.interpreter", reason="tells a model's operators")

from edgeseg.devices.litert import open_interpreter
from edgeseg.devices.placement import check_model
from edgeseg.devices.placement.edgetpu import CUSTOM
from edgeseg.devices.placement.partition import pieces
from edgeseg.devices.placement.reading import read_model_graph
from edgeseg.devices.placement.xnnpack import xnnpack_members

CORAL = (
    "deeplab_mobilenet_edgetpu_slim_cityscapes_quant",
    "deeplabv3_mnv2_dm05_pascal_quant",
    "deeplabv3_mnv2_pascal_quant",
)
OTHERS = (
    "mlperf/deeplabv3_mnv2_ade20k_int8",
    "mlperf/deeplabv3_mnv2_ade20k_uint8",
    "portrait/deeplab_aiseg_quant513",
    "portrait/mnv3_seg_quant",
    "tflite-support/deeplabv3_tflite_support",
)


@pytest.fixture(scope="module")
def models(shared):
    return shared / "models" / "tflite"


@pytest.mark.parametrize("name", CORAL)
def test_the_edge_tpu_prediction_is_what_googles_compiler_did(name, models):
    source = read_model_graph(models / "google-coral" / f"{name}.tflite")
    compiled = read_model_graph(models / "google-coral" / f"{name}_edgetpu.tflite")
    outside = {
        (op.kind, compiled.written(op)[0].name, compiled.written(op)[0].shape)
        for op in compiled.operators
        if op.kind != CUSTOM
    }
    truth = []
    for op in source.operators:
        made = source.written(op)[0]
        left = (op.kind, made.name, made.shape) in outside
        truth.append("cpu" if left else "edgetpu")
    assert truth.count("cpu") == len(compiled.operators) - 1  # each was found
    result = check_model(models / "google-coral" / f"{name}.tflite", "coral")
    assert [op.placement for op in result.operators] == truth


def delegated(path):
    """Return the outputs of each delegate node, None where it cannot be prepared."""
    whole = open_interpreter(path)
    try:
        whole.allocate_tensors()
    except (RuntimeError, ValueError):
        return None
    nodes = [d for d in whole._get_ops_details() if d["op_name"] == "DELEGATE"]
    return [{int(t) for t in d["outputs"]} for d in nodes]


@pytest.mark.parametrize("name", [*(f"google-coral/{n}" for n in CORAL), *OTHERS])
def test_xnnpack_is_as_the_interpreter_shows(name, models):
    path = models / f"{name}.tflite"
    result = check_model(path, "raspberry_pi")
    nodes = delegated(path)
    if nodes is None:
        assert {op.placement for op in result.operators} == {"cpu"}
        assert "cannot be prepared" in result.operators[0].reason
        return
    graph = read_model_graph(path)
    taken = [op.index for op in result.operators if op.placement == "xnnpack"]
    # TensorFlow Lite's own cutting of the graph must give the very nodes shown: as
    # many, in that order, with those outputs
    found = [set(p.operators) for p in pieces(graph, taken) if p.taken]
    assert len(found) == len(nodes) == result.partitions
    for members, outputs in zip(found, nodes, strict=True):
        written = {t for i in members for t in graph.operators[i].outputs}
        read = {
            t for op in graph.operators if op.index not in members for t in op.inputs
        }
        assert outputs == written & (read | set(graph.outputs))
    assert xnnpack_members(path).members == tuple(map(frozenset, found))


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("google-coral/deeplabv3_mnv2_pascal_quant", ["AVERAGE_POOL_2D", "ARG_MAX"]),
        ("tflite-support/deeplabv3_tflite_support", []),
    ],
)
def test_what_litert_leaves_to_plain_kernels(name, left, models):
    result = check_model(models / f"{name}.tflite", "raspberry_pi")
    assert [op.op for op in result.on_cpu] == left
    assert "interpreter of this machine" in result.origin


def test_the_advice_for_googles_voc_file_names_operator_and_rewrite(models):
    path = models / "google-coral" / "deeplabv3_mnv2_pascal_quant.tflite"
    result = check_model(path, "coral")
    first = result.advice[0]
    assert first.operators == (64,)
    assert first.options == "--pooling split"
    assert "1x1x256 -> 33x33x256 keeps the 7 operators after it (5.4%" in first.text
    assert result.advice[1].options == "--head logits-stride"
    assert result.advice[1].operators == (70, 71)
    assert result.cpu_macs_share == pytest.approx(148.59 / 2740.7, abs=1e-4)


def test_a_compiled_model_shows_what_is_outside(models):
    path = models / "google-coral" / f"{CORAL[1]}_edgetpu.tflite"
    result = check_model(path, "coral")
    assert result.origin == "the compiled file itself"
    assert [op.placement for op in result.operators] == ["edgetpu"] + ["cpu"] * 8
    assert "compiled already" in result.notes[0]


def test_the_jetsons_gpu_keeps_one_piece(models):
    path = models / "google-coral" / f"{CORAL[0]}.tflite"
    result = check_model(path, "jetson")
    assert result.partitions == 1
    assert [op.index for op in result.on_cpu] == list(range(76, 84))
    assert result.operators[76].reason == "not on the GPU delegate's list"
    assert "prediction" in result.origin
