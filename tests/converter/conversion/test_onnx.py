"""From Keras to ONNX: the same answers in ONNX Runtime, or no file."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")
pytest.importorskip("onnx", reason="needs the extra `onnx`")
pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")

import keras
import networks
import onnx

from edgeseg.converter import convert
from edgeseg.converter.conversion import conversion
from edgeseg.converter.conversion import onnx as onnx_job
from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.conversion.onnx import run_onnx_job
from edgeseg.converter.conversion.onnx_export import OPSET, to_onnx
from edgeseg.converter.conversion.request import Request, Scoring
from edgeseg.converter.conversion.text import conversion_text
from edgeseg.converter.networks.resizing import ALIGNMENTS, resize_to
from edgeseg.converter.shipped import keras_file, labels_file
from edgeseg.devices import (
    ConversionError,
    InputError,
    MissingDriverError,
    OutputError,
    check_device,
    open_device,
)
from edgeseg.runtime import Overrides, Segmenter, open_source
from edgeseg.runtime.model.inspection import model_info

# not imported here: it warns of TensorFlow's interpreter
pytestmark = [
    pytest.mark.long,  # converts real networks
    pytest.mark.skipif(find_spec("tf2onnx") is None, reason="needs the extra `onnx`"),
]
ROOT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("EDGESEG_SHARED", ROOT.parent / "shared")) / "models"
MODES = {
    "align-corners": b"align_corners",
    "half-pixel": b"half_pixel",
    "legacy": b"asymmetric",
}


def first_pictures(voc, folder, count):
    """Return a data set of the first pictures of one that is there."""
    folder.mkdir()
    for name in ("JPEGImages", "SegmentationClass"):
        (folder / name).symlink_to(voc / "val" / name)
    names = (voc / "val" / "val.txt").read_text().split()[:count]
    (folder / "val.txt").write_text("\n".join(names) + "\n")
    return folder


@pytest.fixture(scope="module")
def animals(request, tmp_path_factory):
    """The shipped network, exported once; scored where there are pictures for it."""
    folder = tmp_path_factory.mktemp("onnx")
    scoring = None
    if SHARED.is_dir():
        voc = request.getfixturevalue("voc")
        scoring = Scoring(first_pictures(voc, folder / "val", 20), max_drop=0.05)
    return convert(
        keras_file(),
        output=folder / "animals.onnx",
        overrides=Overrides(labels=str(labels_file())),
        head="logits",  # scores of Keras' own shape
        scoring=scoring,
    )


def test_the_shipped_network_answers_like_keras(animals):
    onnx_parity = animals.details["onnx_parity"]
    assert (onnx_parity["against"], onnx_parity["images"]) == ("Keras", 16)
    assert animals.int8_parity.agreement > 0.9999
    assert animals.int8_parity.largest_difference < 1e-4 * onnx_parity["score_range"]
    assert (animals.input_dtype, animals.output_dtype) == ("float32", "float32")
    assert set(animals.activations) == {"float32"}
    assert "ONNX against Keras: 100.00" in conversion_text(animals)


def test_the_file_describes_itself(animals):
    told = model_info(animals.path)
    assert told["manifest_from"] == "file"
    assert told["manifest"]["labels"] == labels_file().read_text().split()
    assert told["manifest"]["resize"] == "align-corners"
    provenance = told["manifest"]["provenance"]
    assert (provenance["format"], provenance["opset"]) == ("onnx", OPSET)
    assert {"tf2onnx", "onnx", "onnxruntime"} <= set(provenance["versions"])
    assert told["onnx"]["opset"] == OPSET
    assert told["operators"] == animals.operators
    onnx.checker.check_model(onnx.load(animals.path), full_check=True)


def test_it_finds_the_animals_on_the_processor(animals, root):
    photos = str(root / "runtime" / "shipped" / "photos")
    with Segmenter.open(animals.path) as segmenter:
        assert segmenter.device.describe()["provider"] == "CPUExecutionProvider"
        found = set()
        for capture in open_source(photos).captures():
            result = segmenter.segment(capture.frame)
            found |= {result.labels[i] for i, n in result.areas.items() if n > 5000}
    assert found == {"background", "person", "cat"}
    check_device(open_device("desktop:onnx", animals.path))


def test_it_scores_like_float_tflite(animals, shared):
    accuracy = animals.details["accuracy"]
    assert accuracy["images"] == 20
    assert accuracy["reference"]["miou"] > 0.5
    assert abs(accuracy["drop"]["difference"]) <= 0.0005
    assert "mIoU on 20 pictures" in conversion_text(animals)


def answers(model, content, tmp_path, seed=0):
    """Return what Keras and the ONNX model say to the same noise."""
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    tensor = np.random.default_rng(seed).normal(size=(1, *model.input.shape[1:]))
    tensor = tensor.astype(np.float32)
    with open_device("desktop:onnx", path) as device:
        return model.predict(tensor, verbose=0), device.infer(tensor)[0]


def fixed(model, hw):
    """Return the model with a batch of one picture."""
    image = keras.Input((*hw, 3), batch_size=1)
    return keras.Model(image, model(image))


@pytest.mark.filterwarnings("ignore:Argument `alpha` is deprecated:UserWarning")
@pytest.mark.parametrize(
    "build", [networks.unet, networks.fcn8s, networks.segnet, networks.medley]
)
def test_other_networks(build, tmp_path):
    model = fixed(build(keras), (64, 64))
    expected, got = answers(model, to_onnx(lower(model)), tmp_path)
    np.testing.assert_allclose(got, expected, atol=1e-4 * np.abs(expected).max())


def test_the_same_model_gives_the_same_names(tmp_path):
    lowered = lower(fixed(networks.unet(keras), (64, 64)))
    first, second = (onnx.load_from_string(to_onnx(lowered)).graph for _ in range(2))
    assert (first.input[0].name, first.output[0].name) == ("image", "scores")
    for one, other in zip(first.initializer, second.initializer, strict=True):
        assert one == other


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("size", [(385, 49), (97, 33)])
def test_corners_stay_where_they_are(alignment, size, tmp_path):
    # 49 * (385 / 49) in float32 is less than 385: a scale would lose a row of cells
    image = keras.Input((49, 25, 3), batch_size=1)
    model = keras.Model(image, resize_to(image, size, alignment, name="resize"))
    content = to_onnx(lower(model))
    expected, got = answers(model, content, tmp_path)
    np.testing.assert_allclose(got, expected, atol=5e-5)
    nodes = onnx.load_from_string(content).graph.node
    (resize,) = (node for node in nodes if node.op_type == "Resize")
    modes = {a.name: a.s for a in resize.attribute if a.type == a.STRING}
    assert modes["coordinate_transformation_mode"] == MODES[alignment]
    assert list(resize.input)[1:3] == ["", ""], "sizes, not scales"


def export(model, folder, **options):
    """Run the job in this process, which has imported TensorFlow already."""
    request = Request(model, recipe="float32", format="onnx", **options)
    request.check()
    told = run_onnx_job({"request": request.to_dict(), "folder": str(folder)}, print)
    return folder / "result.onnx", told


@pytest.mark.parametrize(
    ("head", "shape", "dtype"),
    [
        ("auto", (1, 65, 65, 4), "float32"),
        ("logits-stride", (1, 65, 65, 4), "float32"),
        ("labels", (1, 129, 129), "int32"),
    ],
)
def test_heads(head, shape, dtype, shapes_keras, tmp_path):
    path, told = export(shapes_keras, tmp_path, head=head)
    assert told["onnx_parity"]["against"] == "float TFLite"
    assert told["onnx_parity"]["agreement"] > 0.9999
    with Segmenter.open(path) as segmenter:
        output = segmenter.device.outputs[0]
        assert (output.shape, output.dtype) == (shape, dtype)
        if head != "labels":  # the resize that was taken off is Keras' own
            assert segmenter.manifest.resize == "half-pixel"


def test_a_wrong_export_is_found_out(shapes_keras, tmp_path, monkeypatch):
    def spoiled(content):
        model = onnx.load_from_string(to_onnx(content))
        resizes = [node for node in model.graph.node if node.op_type == "Resize"]
        for node in resizes:
            for attribute in node.attribute:
                if attribute.name == "coordinate_transformation_mode":
                    attribute.s = b"asymmetric"
        return model.SerializeToString()

    monkeypatch.setattr(onnx_job, "to_onnx", spoiled)
    with pytest.raises(ConversionError, match="ONNX model does not answer like Keras"):
        export(shapes_keras, tmp_path, head="logits")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"recipe": "float16"}, "--recipe float32 or int8"),
        ({"io": "uint8"}, "half precision"),
        ({"report": "report"}, "--report compares the layers"),
        ({"save_ranges": "ranges.json"}, "no ranges to save"),
        ({"output": "out.tflite"}, "writes a .onnx file"),
        ({"output": "out.ONNX"}, "writes a .onnx file"),
        ({"output": "out.onnx", "format": "tflite"}, "writes a .tflite file"),
        ({"format": "coreml"}, "one of tflite, onnx"),
    ],
)
def test_what_does_not_fit_onnx(options, words, shapes_keras, tmp_path):
    options = {"format": "onnx", "output": "out.onnx", **options}
    paths = {k: tmp_path / v for k, v in options.items() if k in PATHS}
    with pytest.raises(InputError, match=words) as caught:
        convert(shapes_keras, **{**options, **paths})
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


PATHS = ("output", "report", "save_ranges")


def test_ranges_are_no_photos(shapes_keras, tmp_path):
    ranges = tmp_path / "ranges.json"
    ranges.write_text("{}")
    with pytest.raises(InputError, match="quantizes nothing"):
        convert(shapes_keras, output=tmp_path / "o.onnx", calibration=ranges)


def test_a_missing_extra_is_one_line(shapes_keras, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    words = r"tf2onnx not installed.*pip install 'edgeseg\[convert,onnx\]'"
    with pytest.raises(MissingDriverError, match=words):
        convert(shapes_keras, output=tmp_path / "out.onnx")


def test_a_full_disk_gets_nothing(shapes_keras, full_disk, monkeypatch):
    def here(target, job, **options):
        return {**run_onnx_job(job, print), "seconds": 0.0, "peak_bytes": 0}

    monkeypatch.setattr(conversion, "run_isolated", here)  # a process less to start
    with pytest.raises(OutputError, match="No space left"):
        convert(shapes_keras, output=full_disk / "out.onnx")
    assert not list(full_disk.iterdir())
