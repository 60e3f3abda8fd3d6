"""From Keras to int8 ONNX: the rules of TensorRT, and the answers of int8 TFLite."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")
pytest.importorskip("onnx", reason="needs the extra `onnx`")
pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")

import keras
import networks
import onnx

from edgeseg.converter import convert
from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.conversion.onnx import run_onnx_job
from edgeseg.converter.conversion.onnx_export import to_onnx
from edgeseg.converter.conversion.request import Request
from edgeseg.converter.conversion.text import conversion_text
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.qdq import mark_steps
from edgeseg.converter.quantization.quantize import Quantization
from edgeseg.converter.quantization.ranges import measure
from edgeseg.converter.recipes import load_recipe
from edgeseg.devices import ConversionError, InputError, open_device
from edgeseg.devices.onnx import is_quantized
from edgeseg.runtime import Overrides, Segmenter
from edgeseg.runtime.model.inspection import model_info

pytestmark = [
    pytest.mark.long,  # converts real networks
    pytest.mark.skipif(find_spec("tf2onnx") is None, reason="needs the extra `onnx`"),
]
LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
COPYING = ("Concat", "Resize", "MaxPool", "Reshape", "Transpose", "Pad", "Slice")


class Graph:
    """An ONNX graph, with what makes and what reads each tensor."""

    def __init__(self, content):
        self.model = onnx.load_from_string(content)
        nodes = self.model.graph.node
        self.makers = {name: node for node in nodes for name in node.output}
        self.readers = {}
        for node in nodes:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)
        self.constants = {
            tensor.name: onnx.numpy_helper.to_array(tensor)
            for tensor in self.model.graph.initializer
        }

    def nodes(self, *kinds):
        return [node for node in self.model.graph.node if node.op_type in kinds]

    def maker(self, name):
        return self.makers[name].op_type if name in self.makers else ""

    def scale(self, node):
        return self.constants[node.input[1]]


def assert_pairs(graph, dtype):
    """Raise unless int8 values lie between a QuantizeLinear and a DequantizeLinear."""
    for node in graph.nodes("QuantizeLinear", "DequantizeLinear"):
        scale, zero_point = (graph.constants[name] for name in node.input[1:])
        assert (scale > 0).all()
        assert scale.shape == zero_point.shape
        weighs = node.input[0] in graph.constants or (
            node.op_type == "DequantizeLinear"
            and graph.makers[node.input[0]].input[0] in graph.constants
        )
        assert zero_point.dtype == (np.int8 if weighs else dtype)
        if zero_point.dtype == np.int8:
            assert not zero_point.any(), "TensorRT demands symmetric steps"
        assert weighs or scale.size == 1, "a scale a channel is for weights alone"
    for node in graph.nodes("QuantizeLinear"):
        readers = graph.readers[node.output[0]]
        assert {reader.op_type for reader in readers} == {"DequantizeLinear"}
        assert all(list(r.input[1:]) == list(node.input[1:]) for r in readers)
    for node in graph.nodes("DequantizeLinear"):
        assert graph.maker(node.input[0]) == "QuantizeLinear"


def assert_layers(graph):
    """Raise unless layers read int8 and the activation behind them can be fused."""
    for node in graph.nodes(*LAYERS):
        assert graph.maker(node.input[0]) == "DequantizeLinear"
        weights = graph.makers[node.input[1]]
        quantize = graph.makers[weights.input[0]]
        values, scale = graph.constants[quantize.input[0]], graph.scale(quantize)
        axis = quantize.attribute[0].i
        assert values.dtype == np.float32, "TensorRT 8 reads no int8 weights"
        assert scale.shape == (values.shape[axis],)
        steps = np.moveaxis(values, axis, -1) / scale
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)
        assert np.abs(steps).max() < 127.5
        assert all(name in graph.constants for name in node.input[2:]), "float biases"
    for node in graph.nodes("Clip", "Relu"):
        assert graph.maker(node.input[0]) != "DequantizeLinear"
    for node in graph.nodes(*COPYING):
        read = [graph.makers.get(name) for name in node.input if name]
        steps = {
            float(graph.scale(n)) for n in read if n and n.op_type == "DequantizeLinear"
        }
        behind = {
            float(graph.scale(n))
            for n in graph.readers.get(node.output[0], ())
            if n.op_type == "QuantizeLinear"
        }
        if steps and behind:
            assert len(steps) == 1
            assert steps <= behind


def assert_tensorrt(content):
    """Raise unless a file keeps what TensorRT demands of explicit quantization."""
    graph = Graph(content)
    onnx.checker.check_model(graph.model, full_check=True)
    onnx.shape_inference.infer_shapes(graph.model, strict_mode=True, data_prop=True)
    assert_pairs(graph, np.int8)
    assert_layers(graph)
    for node in graph.nodes("DequantizeLinear"):
        assert len(graph.readers[node.output[0]]) == 1, "a pair for each reader"
    for node in graph.nodes("Add"):
        kinds = [graph.maker(name) for name in node.input]
        if "DequantizeLinear" in kinds:
            assert set(kinds) <= {"DequantizeLinear", *LAYERS}
    return graph


def calibrated(model, count=8):
    """Return a float network and its calibration on noise."""
    content = lower(model)
    shape, random = model.input.shape[1:], np.random.default_rng(3)
    tensors = [random.normal(size=(1, *shape)).astype(np.float32) for _ in range(count)]
    return content, measure(content, tensors), tensors[0]


def fixed(model, hw):
    image = keras.Input((*hw, 3), batch_size=1)
    return keras.Model(image, model(image))


def answer(content, name, tensor, folder):
    """Return the scores of a file as real values."""
    path = folder / name
    path.write_bytes(content)
    device = "desktop:onnx" if path.suffix == ".onnx" else "desktop"
    with open_device(device, path) as opened:
        source, result = opened.inputs[0], opened.outputs[0]
        real = source.quantize(tensor) if source.is_quantized else tensor
        made = opened.infer(real)[0]
        return result.dequantize(made) if result.is_quantized else made


@pytest.mark.filterwarnings("ignore:Argument `alpha` is deprecated:UserWarning")
@pytest.mark.parametrize(
    "build", [networks.unet, networks.fcn8s, networks.segnet, networks.medley]
)
def test_other_networks(build, tmp_path):
    content, ranges, tensor = calibrated(fixed(build(keras), (64, 64)))
    quantized = Quantization(content, load_recipe("int8-mixed"), ranges).make()
    exact = answer(content, "float.tflite", tensor, tmp_path)
    tflite = np.abs(answer(quantized, "int8.tflite", tensor, tmp_path) - exact)
    for symmetric in (True, False):
        marked = mark_steps(content, ranges, symmetric=symmetric)
        made = to_onnx(marked.content, marked.weights, is_shared=not symmetric)
        if symmetric:
            assert_tensorrt(made)
        else:
            graph = Graph(made)
            assert_pairs(graph, np.uint8)
            assert_layers(graph)
        error = np.abs(answer(made, "int8.onnx", tensor, tmp_path) - exact)
        # a step of a tensor that ReLU made is twice as wide where it is symmetric
        assert error.mean() < 2.5 * tflite.mean() + 1e-6


def export(model, folder, **options):
    """Run the job in this process, which has imported TensorFlow already."""
    request = Request(model, recipe="int8", format="onnx", **options)
    request.check()
    told = run_onnx_job({"request": request.to_dict(), "folder": str(folder)}, print)
    return folder / "result.onnx", told


@pytest.fixture(scope="module")
def converted(shapes_keras, shapes_labels, calibration, tmp_path_factory):
    folder = tmp_path_factory.mktemp("int8")
    return convert(
        shapes_keras,
        output=folder / "shapes.onnx",
        calibration=calibration,
        recipe="int8",
        overrides=Overrides(labels=str(shapes_labels)),
        save_ranges=folder / "ranges.json",
    )


def test_the_file_keeps_tensorrts_rules(converted):
    content = converted.path.read_bytes()
    assert is_quantized(content)
    graph = assert_tensorrt(content)
    layers = graph.nodes(*LAYERS)
    assert sum(converted.details["int8_layers"]["int8"].values()) >= len(layers)
    assert graph.model.graph.output[0].name not in [
        node.output[0] for node in graph.nodes("DequantizeLinear")
    ], "scores stay float"


def test_it_answers_like_int8_tflite(converted, shapes_conversion):
    assert converted.int8_parity.agreement > 0.97
    kept = shapes_conversion.int8_parity.agreement
    assert converted.int8_parity.agreement > kept - 0.01
    text = conversion_text(converted)
    assert "int8 against float: " in text
    assert "operators with inputs in int8: " in text
    assert "times smaller" not in text


def test_it_describes_itself(converted):
    told = model_info(converted.path)["manifest"]
    assert told["labels"] == ["background", "disc", "square", "triangle"]
    provenance = told["provenance"]
    assert (provenance["recipe"], provenance["format"]) == ("int8", "onnx")
    assert provenance["steps"] == "symmetric int8"
    assert provenance["calibration_images"] == 40


def test_saved_ranges_make_the_form_of_onnx_runtime(converted, shapes_keras, tmp_path):
    ranges = converted.path.parent / "ranges.json"
    options = {"calibration": ranges, "runtime": "onnxruntime"}
    path, told = export(shapes_keras, tmp_path, **options)
    # compared on photos, which look like nothing that the network was trained on
    assert told["int8_parity"]["agreement"] > 0.95
    assert_pairs(Graph(path.read_bytes()), np.uint8)
    with Segmenter.open(path) as segmenter:
        assert segmenter.manifest.provenance["steps"] == "uint8 with zero points"


def test_class_ids(shapes_keras, calibration, tmp_path):
    path, told = export(shapes_keras, tmp_path, calibration=calibration, head="labels")
    assert told["int8_parity"]["agreement"] > 0.97
    assert_tensorrt(path.read_bytes())
    with Segmenter.open(path) as segmenter:
        assert segmenter.device.outputs[0].dtype == "int32"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"recipe": "int8"}, "needs --calibration"),
        ({"recipe": "int16x8"}, "--recipe float32 or int8"),
        ({"recipe": "dynamic-int8"}, "--recipe float32 or int8"),
        ({"recipe": "int8", "io": "int8"}, "float32 at its ends"),
        ({"recipe": "int8", "report": "report"}, "--report compares"),
        ({"runtime": "onnxruntime"}, "goes with --format onnx --recipe int8"),
        ({"recipe": "int8", "runtime": "mediapipe"}, "runs .tflite files"),
    ],
)
def test_what_cannot_be_is_one_line(options, words, shapes_keras, tmp_path):
    given = dict(options)
    if "report" in given:
        given["report"] = tmp_path / given["report"]
    with pytest.raises(InputError, match=words) as caught:
        convert(shapes_keras, output=tmp_path / "out.onnx", **given)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_an_operator_that_onnx_has_not_is_one_line(monkeypatch):
    content, ranges, _ = calibrated(fixed(networks.unet(keras), (64, 64)), 1)
    marked = mark_steps(content, ranges)
    flat = FlatModel(marked.content)
    code = flat.model.operatorCodes[flat.graph.operators[-1].opcodeIndex]
    code.builtinCode, code.deprecatedBuiltinCode = 32, 32  # CUSTOM
    code.customCode = b"Unheard"
    with pytest.raises(ConversionError) as caught:
        to_onnx(flat.to_bytes(), marked.weights)
    assert "\n" not in str(caught.value)
