"""ONNX files read without the package `onnx`: held against what reads them else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.devices import ManifestError, ModelError
from edgeseg.runtime import Manifest, Overrides, Segmenter
from edgeseg.runtime.cli import main
from edgeseg.runtime.model.embedded import onnx_with_manifest, stored_manifest
from edgeseg.runtime.model.onnx_file import read_onnx, read_texts, with_text
from edgeseg.runtime.model.protobuf import MalformedError, Message, bytes_field, split

ONNX = Path(__file__).parents[2] / "devices" / "pointwise.onnx"
LABELS = ("background", "disc", "square", "triangle")
MANIFEST = Manifest(labels=LABELS, input_size=(6, 5), mean=(0, 0, 0), std=(255,) * 3)


@pytest.fixture
def described(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_with_manifest(ONNX.read_bytes(), MANIFEST))
    return path


def test_it_reads_what_onnx_reads():
    onnx = pytest.importorskip("onnx", reason="needs onnx: not installed")
    model, told = onnx.load(ONNX), read_onnx(ONNX)
    assert [t.name for t in told.inputs] == [t.name for t in model.graph.input]
    assert [t.name for t in told.outputs] == [t.name for t in model.graph.output]
    assert (told.inputs[0].shape, told.inputs[0].dtype) == ((1, 6, 5, 3), "float32")
    assert sum(told.operators.values()) == len(model.graph.node)
    assert set(told.operators) == {node.op_type for node in model.graph.node}
    assert told.opset == model.opset_import[0].version
    assert told.ir_version == model.ir_version


def test_a_manifest_disturbs_nobody(described):
    onnx = pytest.importorskip("onnx", reason="needs onnx: not installed")
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    assert stored_manifest(described) == MANIFEST
    assert onnx.load(described).graph == onnx.load(ONNX).graph
    session = runtime.InferenceSession(described, providers=["CPUExecutionProvider"])
    texts = session.get_modelmeta().custom_metadata_map
    assert texts == read_texts(described)
    assert Manifest.from_json(texts["edgeseg"]) == MANIFEST


def test_a_second_manifest_replaces_the_first(described):
    twice = onnx_with_manifest(described.read_bytes(), MANIFEST)
    assert twice == described.read_bytes()


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=300), max_size=5))
def test_texts_survive(tmp_path_factory, texts):
    model = ONNX.read_bytes()
    for key, text in texts.items():
        model = with_text(model, key, text)
    path = tmp_path_factory.mktemp("texts") / "model.onnx"
    path.write_bytes(model)
    assert read_texts(path) == texts
    assert read_onnx(path) == read_onnx(ONNX)


@given(st.binary(max_size=200))
def test_any_bytes_are_fields_or_an_error(content):
    try:
        whole = b"".join(bytes(field) for _, _, field in split(content))
    except MalformedError:
        return
    assert whole == content


@given(st.integers(1, 2**20), st.binary(max_size=400))
def test_a_field_is_read_as_it_was_written(number, content):
    ((found, value, _),) = split(bytes_field(number, content))
    assert (found, bytes(value)) == (number, content)
    with pytest.raises(MalformedError):
        list(split(bytes_field(number, content + b"more")[:-1]))


@pytest.mark.parametrize("field", [0, 7, 14])
def test_a_wrong_kind_of_field_is_an_error(field):
    message = Message(b"\x38\x01\x70\x01")  # fields 7 and 14, both the integer 1
    if field:
        with pytest.raises(MalformedError, match="is an integer"):
            message.messages(field)
    assert message.number(9, 5) == 5


@pytest.mark.parametrize("size", range(1, ONNX.stat().st_size, 7))
def test_truncated_files(size, tmp_path):
    path = tmp_path / "cut.onnx"
    path.write_bytes(ONNX.read_bytes()[:size])
    with pytest.raises(ModelError, match=r"cut\.onnx") as caught:
        read_onnx(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no graph"),
        (b"\xff" * 40, "damaged"),
        (b"    TFL3", r"TFLite model: name it \.tflite"),
        (None, "No such file"),
    ],
)
def test_what_is_no_onnx_file(content, words, tmp_path):
    path = tmp_path / "bad.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=words):
        read_onnx(path)
    assert read_texts(path) == {}


def test_a_malformed_manifest_is_told(tmp_path):
    path = tmp_path / "bad.onnx"
    path.write_bytes(with_text(ONNX.read_bytes(), "edgeseg", "{"))
    with pytest.raises(ManifestError, match="not JSON"):
        stored_manifest(path)


def test_a_foreign_file_is_described_by_sidecar_or_options(tmp_path):
    pytest.importorskip("onnxruntime", reason="needs onnxruntime: not installed")
    path = tmp_path / "foreign.onnx"
    path.write_bytes(ONNX.read_bytes())
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(LABELS))
    with Segmenter.open(path, overrides=Overrides(labels=str(labels))) as segmenter:
        assert segmenter.manifest.labels == LABELS
        assert segmenter.manifest.mean == (127.5,) * 3
    Path(f"{path}.json").write_text(MANIFEST.to_json())
    with Segmenter.open(path) as segmenter:
        assert segmenter.manifest == MANIFEST


def test_info_needs_no_onnx(described, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    done = CliRunner().invoke(main, ["info", str(described)])
    assert done.exit_code == 0, done.output
    assert "ONNX opset" in done.output
    assert "1x6x5x3 float32" in done.output
    assert "labels: background, disc, square, triangle" in done.output
    done = CliRunner().invoke(main, ["info", str(described), "--json"])
    told = json.loads(done.output)
    assert told["manifest_from"] == "file"
    assert len(told["sha256"]) == 64
