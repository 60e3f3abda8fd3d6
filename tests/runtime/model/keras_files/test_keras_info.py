"""What `edgeseg info` says of Keras files, without Keras."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import zipfile

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.converter.shipped import keras_file
from edgeseg.devices import ModelError
from edgeseg.runtime.commands.info import info
from edgeseg.runtime.model.keras_files import keras_info
from edgeseg.runtime.model.keras_files.network import network_fields
from edgeseg.runtime.model.protobuf import bytes_field

LAYER = {"class_name": "InputLayer", "config": {"name": "in", "dtype": "float32"}}


def network(**config):
    layer = {**LAYER, "config": {**LAYER["config"], **config}}
    return {"class_name": "Functional", "config": {"layers": [layer, {"x": 1}]}}


def archive(path, **entries):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in entries.items():
            file.writestr(f"{name}.json", content)
    return path


def test_a_keras_archive():
    told = keras_info(keras_file())
    keras = told["keras"]
    assert (keras["format"], keras["holds"], keras["network"]) == (
        "keras",
        "model",
        "Functional",
    )
    assert keras["keras"][0].isdigit()
    assert keras["layers"] > 100
    assert keras["inputs"][0]["shape"][1:] == [385, 385, 3]
    assert told["next"].startswith("edgeseg convert ")
    assert told["bytes"] == keras_file().stat().st_size


def test_the_command_and_its_json(shapes_keras):
    done = CliRunner().invoke(info, [str(shapes_keras)])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[1].startswith(".keras archive, written by Keras 3")
    assert "a whole model (Functional, " in lines[1]
    assert lines[-1].startswith(
        f"to run it: edgeseg convert {shlex.quote(str(shapes_keras))} "
    )
    told = json.loads(CliRunner().invoke(info, [str(shapes_keras), "--json"]).stdout)
    assert told["keras"]["holds"] == "model"
    refused = CliRunner().invoke(info, [str(shapes_keras), "--manifest"])
    assert refused.exit_code == 1
    assert "no manifest" in str(refused.exception)


def test_the_command_it_names_is_one_for_a_shell(tmp_path):
    path = archive(tmp_path / "my 'model'.keras", config=json.dumps(network()))
    done = CliRunner().invoke(info, [str(path)])
    line = done.stdout.splitlines()[-1].removeprefix("to run it: ")
    shown = subprocess.check_output(
        ["sh", "-c", line.replace("edgeseg", "printf '%s\\n'")]
    )
    assert str(path) in shown.decode().splitlines()


@pytest.fixture
def h5py():
    return pytest.importorskip("h5py", reason="needs h5py: not installed")


def hdf5(h5py, path, **attributes):
    with h5py.File(path, "w") as file:
        file.create_group("model_weights")
        for name, value in attributes.items():
            file.attrs[name] = value
    return path


def test_a_whole_model_of_old_keras(h5py, tmp_path):
    config = json.dumps(network(batch_input_shape=[None, 64, None, 3]))
    path = hdf5(h5py, tmp_path / "m.h5", model_config=config, keras_version="2.2.4")
    told = keras_info(path)["keras"]
    assert (told["format"], told["holds"], told["keras"]) == ("hdf5", "model", "2.2.4")
    assert (told["network"], told["layers"]) == ("Functional", 2)
    assert told["inputs"][0]["shape"] == [None, 64, None, 3]


@pytest.mark.parametrize(
    ("names", "holds"),
    [
        ([b"Conv", b"expanded_conv_depthwise"], "release-weights"),
        ([b"entry_flow_conv1_1"], "release-weights"),
        ([b"dense_1"], "weights"),
    ],
)
def test_weights_without_a_network(names, holds, h5py, tmp_path):
    path = hdf5(h5py, tmp_path / "w.h5", layer_names=names, keras_version=b"2.1.6")
    told = keras_info(path)
    assert (told["keras"]["holds"], told["keras"]["layers"]) == (holds, len(names))
    assert (told["next"] is None) == (holds == "weights")
    done = CliRunner().invoke(info, [str(path)])
    assert done.exit_code == 0
    assert ("save it whole" in done.stdout) == (holds == "weights")


def test_weights_of_new_keras(h5py, tmp_path):
    told = keras_info(hdf5(h5py, tmp_path / "m.weights.h5"))
    assert (told["keras"]["holds"], told["next"]) == ("weights", None)


def test_a_board_without_h5py(h5py, tmp_path, monkeypatch):
    path = hdf5(h5py, tmp_path / "m.h5", model_config="{}")
    monkeypatch.setitem(sys.modules, "h5py", None)
    done = CliRunner().invoke(info, [str(path)])
    assert done.exit_code == 0
    assert "HDF5 file: not looked into (pip install h5py)" in done.stdout
    assert "edgeseg convert" in done.stdout


def shape_of(*lengths):
    fields = b""
    for length in lengths:
        number = bytes([8]) + varint(length & (1 << 64) - 1)
        fields += bytes_field(2, number)
    return fields


def varint(value):
    packed = bytearray()
    while value > 0x7F:
        packed.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*packed, value])


def entry(number, key, value):
    return bytes_field(number, bytes_field(1, key) + bytes_field(2, value))


def test_a_savedmodel_folder(tmp_path):
    tensor = bytes([16, 1]) + bytes_field(3, shape_of(-1, 64, 32, 3))
    signature = entry(5, b"serving_default", entry(1, b"image", tensor))
    graph = bytes_field(1, bytes_field(5, b"2.18.0")) + signature
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(bytes_field(2, graph))
    (folder / "variables").write_bytes(b"x" * 1000)
    told = keras_info(folder)
    assert (told["keras"]["format"], told["keras"]["tensorflow"]) == (
        "savedmodel",
        "2.18.0",
    )
    assert told["keras"]["inputs"] == (
        {"name": "image", "shape": [None, 64, 32, 3], "dtype": "float32"},
    )
    assert told["bytes"] > 1000
    done = CliRunner().invoke(info, [str(folder)])
    assert done.exit_code == 0
    assert "input   image  ?x64x32x3 float32" in done.stdout


def test_a_savedmodel_of_tensorflow(tmp_path):
    tf = pytest.importorskip("tensorflow", reason="needs the extra `convert`")
    module = tf.Module()
    spec = tf.TensorSpec((1, None, 8, 3), tf.uint8, name="photo")
    module.call = tf.function(lambda photo: photo + 1, input_signature=[spec])
    tf.saved_model.save(module, tmp_path / "saved", signatures=module.call)
    told = keras_info(tmp_path / "saved")["keras"]
    assert told["tensorflow"] == tf.__version__
    assert told["inputs"] == (
        {"name": "photo", "shape": [1, None, 8, 3], "dtype": "uint8"},
    )


def test_what_is_none_is_left_to_others(tmp_path, golden_model):
    (tmp_path / "photos").mkdir()
    other = archive(tmp_path / "other.zip", notes="{}")
    for path in (golden_model, tmp_path / "photos", tmp_path / "nowhere", other):
        assert keras_info(path) is None
    done = CliRunner().invoke(info, [str(other)])
    assert done.exit_code == 1


@pytest.mark.parametrize("content", ["", "[1]", "[" * 100_000, '{"a":', "null"])
def test_a_damaged_network_is_one_line(content, tmp_path):
    path = archive(tmp_path / "m.keras", config=content)
    with pytest.raises(ModelError, match=r"its config\.json is damaged"):
        keras_info(path)


def test_a_description_that_never_ends_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("edgeseg.runtime.model.keras_files.archive._LIMIT", 10)
    path = archive(tmp_path / "m.keras", config=json.dumps(network()))
    with pytest.raises(ModelError, match="is over 10 bytes"):
        keras_info(path)


@pytest.mark.parametrize("part", range(1, 20))
def test_cut_off_archives_are_one_line(part, shapes_keras, tmp_path):
    content = shapes_keras.read_bytes()
    path = tmp_path / "cut.keras"
    path.write_bytes(content[: len(content) * part // 20])
    with pytest.raises(ModelError, match="damaged or truncated"):
        keras_info(path)


@pytest.mark.parametrize("part", range(1, 20))
def test_cut_off_hdf5_files_are_one_line(part, h5py, tmp_path):
    whole = hdf5(h5py, tmp_path / "m.h5", model_config=json.dumps(network()))
    content = whole.read_bytes()
    path = tmp_path / "cut.h5"
    path.write_bytes(content[: len(content) * part // 20])
    with pytest.raises(ModelError, match="damaged or truncated"):
        keras_info(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xff", b"\x12\x05ab"])
def test_a_damaged_savedmodel_is_one_line(content, tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(content)
    with pytest.raises(ModelError, match=r"saved_model\.pb is damaged"):
        keras_info(tmp_path)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
KEYS = st.sampled_from(
    ["class_name", "config", "layers", "batch_shape", "batch_input_shape", "name"]
)


@given(st.dictionaries(KEYS, VALUES | st.dictionaries(KEYS, VALUES)))
def test_any_description_is_looked_at(config):
    told = network_fields(config)
    assert set(told) == {"network", "layers", "inputs"}
    json.dumps(told)


def test_no_framework_is_loaded(shapes_keras):
    code = (
        "import sys; from edgeseg.runtime.cli import main\n"
        f"main(['info', {str(shapes_keras)!r}, '--json'], standalone_mode=False)\n"
        "assert not {'tensorflow', 'keras', 'ai_edge_litert'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
