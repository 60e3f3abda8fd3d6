"""Descriptions and weights made to run code or to read files: nothing happens."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import marshal
import zipfile

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import h5py
import keras

from edgeseg.converter.loading.format import network_of
from edgeseg.converter.loading.load import load_model
from edgeseg.converter.loading.trust import known
from edgeseg.converter.loading.trust.admission import admit
from edgeseg.converter.loading.trust.scan import scan
from edgeseg.converter.loading.trust.weights_file import check_weights_file
from edgeseg.devices import ModelError

OURS = "edgeseg>BilinearResize"
CODE = "__import__('pathlib').Path({path!r}).touch()"


def function(name="system", module="os", registered=None, kind="function"):
    return {
        "class_name": kind,
        "config": name,
        "module": module,
        "registered_name": registered,
    }


def layer(name, module="keras.layers", registered=None, **config):
    return {
        "class_name": name,
        "module": module,
        "registered_name": registered,
        "config": {"name": "evil", **config},
    }


def python_lambda(path):
    code = compile(f"lambda *a, **k: {CODE.format(path=path)}", "x", "eval").co_consts[
        0
    ]
    text = base64.b64encode(marshal.dumps(code)).decode()
    parts = {"code": text, "defaults": None, "closure": None}
    return {
        "class_name": "__lambda__",
        "config": {"value": [text, None, None], **parts},
        "registered_name": OURS,
    }


def typespec(module, name):
    return {
        "class_name": "__typespec__",
        "spec_name": name,
        "module": module,
        "registered_name": None,
        "config": ["x"],
    }


# What each would run or read, given a path to touch, as an entry of a description
ENTRIES = {
    "function, our name": lambda path: function(registered=OURS),
    "function, its name": lambda path: function(registered="system"),
    "function, no name": lambda path: function(),
    "function, name of a layer": lambda path: function(registered="Conv2D"),
    "function, our name in capitals": lambda path: function(registered=OURS.upper()),
    "function, our name in wide letters": lambda path: function(
        registered="\uff45dgeseg>BilinearResize"
    ),
    "function in capitals": lambda path: function(kind="FUNCTION"),
    "function of builtins": lambda path: function("eval", "builtins", OURS),
    "function without module": lambda path: function("eval", None),
    "function of Keras": lambda path: function("get_file", "keras.utils", OURS),
    "function of Keras, private": lambda path: function(
        "func_load", "keras.src.utils.python_utils", "func_load"
    ),
    "function that loads": lambda path: function("load_model", "keras.saving"),
    "function, activation of a stranger": lambda path: function("relu", "os"),
    "function, odd name": lambda path: function(["system"]),
    "function of Keras where no code is": lambda path: function("get", "keras"),
    "class of a stranger": lambda path: layer(
        "Popen", "subprocess", args=["touch", path]
    ),
    "class of a stranger, our name": lambda path: layer(
        "Popen", "subprocess", OURS, args=["touch", path]
    ),
    "our class, another module": lambda path: layer("BilinearResize", "os", OURS),
    "our name, another class": lambda path: layer(
        "StringLookup", registered=OURS, vocabulary=path
    ),
    "our name, a graph": lambda path: layer(
        "TFSMLayer", registered=OURS, filepath=path
    ),
    "our name, a Lambda": lambda path: layer(
        "Lambda", registered=OURS, function=python_lambda(path)
    ),
    "a Lambda": lambda path: layer("Lambda", function=python_lambda(path)),
    "a Lambda of old": lambda path: {
        "class_name": "Lambda",
        "config": {
            "name": "evil",
            "function": python_lambda(path)["config"]["value"],
            "function_type": "lambda",
        },
    },
    "a lookup": lambda path: layer("IntegerLookup", vocabulary=path),
    "a lookup by a private module": lambda path: layer(
        "StringLookup", "keras.src.layers.preprocessing.string_lookup", vocabulary=path
    ),
    "a lookup without module": lambda path: layer(
        "StringLookup", None, vocabulary=path
    ),
    "a vectorizer": lambda path: layer("TextVectorization", vocabulary=path),
    "a pickle": lambda path: layer("TorchModuleWrapper", module_="x"),
    "a class that loads": lambda path: layer("ModelCheckpoint", "keras.callbacks"),
    "a class of Keras' insides": lambda path: layer("DiskIOStore", "keras.src.saving"),
    "a module": lambda path: layer("np", "keras.src.ops.numpy"),
    "an operation that calls": lambda path: layer(
        "Map", "keras.src.ops.core", function=function()
    ),
    "a type": lambda path: layer("type", "builtins"),
    "a type specification": lambda path: typespec("subprocess", "Popen"),
    "a type specification, our name": lambda path: {
        **typespec("subprocess", "Popen"),
        "registered_name": OURS,
    },
    "a lambda": python_lambda,
    "an object array": lambda path: {
        "class_name": "__numpy__",
        "config": {"value": [{}], "dtype": "object"},
    },
    "a tensor of text": lambda path: {
        "class_name": "__tensor__",
        "config": {"value": "x", "dtype": "string"},
    },
    "no name": lambda path: {"class_name": None, "config": {}},
    "a list as name": lambda path: {"class_name": ["function"], "config": "system"},
    "an object as name": lambda path: {"class_name": function(), "config": "system"},
}


def in_layers(net, entry):
    call = {"args": [f"touch {entry['path']}"], "kwargs": {}}
    net["config"]["layers"].append(
        {**entry["made"], "name": "evil", "inbound_nodes": [call]}
    )


def in_setting(key):
    def put(net, entry):
        net["config"]["layers"][1]["config"][key] = entry["made"]

    return put


def in_call(net, entry):
    net["config"]["layers"][1]["inbound_nodes"][0]["kwargs"] = {"mask": entry["made"]}


def in_arguments(net, entry):
    net["config"]["layers"][1]["inbound_nodes"][0]["args"].append([entry["made"]])


def in_a_wrapper(net, entry):
    inside = net["config"]["layers"][1]
    inside["config"] = {"name": "wrapped", "layer": entry["made"]}
    inside["class_name"] = "TimeDistributed"


def in_a_nested_model(net, entry):
    inside = copy.deepcopy(net)
    in_layers(inside, entry)
    net["config"]["layers"].append(inside)


PLACES = {
    "layers": in_layers,
    "activation": in_setting("activation"),
    "dtype": in_setting("dtype"),
    "setting": in_setting("padding"),
    "call": in_call,
    "arguments": in_arguments,
    "wrapper": in_a_wrapper,
    "nested": in_a_nested_model,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A small network as Keras writes it, in both formats."""
    folder = tmp_path_factory.mktemp("whole")
    image = keras.Input((16, 16, 3))
    model = keras.Model(image, keras.layers.Conv2D(2, 1, name="c")(image))
    model.save(folder / "net.keras")
    model.save(folder / "net.h5")
    return folder


def network(whole):
    with zipfile.ZipFile(whole / "net.keras") as archive:
        return json.loads(archive.read("config.json"))


def with_network(whole, net, path):
    """Write the network with another description."""
    if path.suffix == ".h5":
        path.write_bytes((whole / "net.h5").read_bytes())
        with h5py.File(path, "r+") as file:
            file.attrs["model_config"] = json.dumps(net)
        return path
    with (
        zipfile.ZipFile(whole / "net.keras") as old,
        zipfile.ZipFile(path, "w") as new,
    ):
        for name in old.namelist():
            own = name == "config.json"
            new.writestr(name, json.dumps(net) if own else old.read(name))
    return path


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ENTRIES)
def test_what_names_code_is_found_wherever_it_is(name, place, whole, tmp_path):
    path = str(tmp_path / "touched")
    net = network(whole)
    PLACES[place](net, {"made": ENTRIES[name](path), "path": path})
    with pytest.raises(ModelError, match="--trust-model") as caught:
        admit(tmp_path / "net.keras", net, trust=False)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", ENTRIES)
def test_files_that_name_code_are_refused_and_run_nothing(
    name, suffix, whole, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    touched = tmp_path / "touched"
    net = network(whole)
    entry = {"made": ENTRIES[name](str(touched)), "path": str(touched)}
    in_layers(net, entry)
    with pytest.raises(ModelError) as caught:
        load_model(with_network(whole, net, tmp_path / f"net{suffix}"))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert not touched.exists()


def test_a_function_of_keras_is_no_layer(whole):
    net = network(whole)
    in_layers(net, {"made": function("relu", "keras.activations"), "path": ""})
    assert [str(one) for one in scan(net)] == [
        f"layer '{net['config']['name']}' (function relu as a layer)"
    ]


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(
    "key", ["kernel_initializer", "bias_regularizer", "kernel_constraint"]
)
def test_what_only_training_needs_is_not_run(key, suffix, whole, tmp_path):
    touched = tmp_path / "touched"
    net = network(whole)
    net["config"]["layers"][1]["config"][key] = python_lambda(str(touched))
    path = with_network(whole, net, tmp_path / f"net{suffix}")
    assert load_model(path).model.output.shape == (1, 16, 16, 2)
    assert not touched.exists()


@pytest.mark.parametrize("depth", [0, 1])
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_compilation_is_for_training_and_left_out(suffix, depth, whole, tmp_path):
    touched = tmp_path / "touched"
    net = network(whole)
    evil = {"optimizer": python_lambda(str(touched)), "loss": function(registered=OURS)}
    net["compile_config"] = evil
    if depth:
        net["config"]["layers"][1]["compile_config"] = evil
    path = with_network(whole, net, tmp_path / f"net{suffix}")
    assert load_model(path).model.output.shape == (1, 16, 16, 2)
    assert not touched.exists()


def test_keras_gets_what_was_looked_at_and_no_more(whole, tmp_path):
    net = network(whole)
    net["config"]["layers"][1]["module"] = "keras.src.layers.elsewhere"
    net["config"]["layers"][1]["unknown"] = {"any": "thing"}
    net["compile_config"] = {"loss": "mse"}
    found = admit(tmp_path / "net.keras", net, trust=False).config
    assert found["module"] == "keras.src.models.functional"
    conv = found["config"]["layers"][1]
    assert (conv["module"], conv["registered_name"]) == ("keras.layers", None)
    assert "unknown" not in conv
    assert "compile_config" not in found


def test_a_name_of_ours_in_any_house_is_ours():
    """Files name the module that a class was in when they were written."""
    for module in ("edgeseg.converter.networks.resizing", "edgeseg.elsewhere", None):
        entry = layer("BilinearResize", module, OURS, height=2, width=2)
        assert scan(entry) == []
    found = known.known_class(layer("BilinearResize", "edgeseg.elsewhere", OURS))
    assert found.module == "edgeseg.converter.networks.resizing"


def test_layers_of_keras_are_known_or_act():
    """A new layer of Keras is looked at before it is let in."""
    acting = {"FlaxLayer", "HashedCrossing", "Hashing", "IntegerLookup", "JaxLayer"}
    acting |= {"Lambda", "StringLookup", "TFSMLayer", "TextVectorization"}
    acting |= {"TorchModuleWrapper", "InputSpec", "Layer", "Wrapper"}
    acting |= {"MaxNumBoundingBoxes"}  # takes boxes
    listed = {
        name
        for name in dir(keras.layers)
        if isinstance(getattr(keras.layers, name), type)
        and known.known_class(layer(name)) is not None
    }
    every = {n for n in dir(keras.layers) if isinstance(getattr(keras.layers, n), type)}
    assert every - listed == acting & every


@pytest.mark.parametrize(
    "name",
    ["relu", "gelu", "hard_silu", "leaky_relu", "log_softmax"],
)
def test_functions_of_keras_are_known(name, tmp_path):
    image = keras.Input((16, 16, 3))
    x = keras.layers.Activation(getattr(keras.activations, name))(image)
    x = getattr(keras.ops, name)(x) * 0.5 + keras.ops.sqrt(keras.ops.abs(x))
    x = keras.layers.Conv2D(2, 1)(x)
    model = keras.Model(image, x[:, 1:-1, ..., :])
    model.save(tmp_path / "net.keras")
    tensor = np.random.default_rng(0).random((1, 16, 16, 3), np.float32)
    np.testing.assert_allclose(
        load_model(tmp_path / "net.keras").model.predict(tensor, verbose=0),
        model.predict(tensor, verbose=0),
        atol=1e-6,
    )


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_an_endless_nest_is_one_line(suffix, whole, tmp_path):
    net = network(whole)
    for _ in range(300):
        net = {"class_name": "Functional", "config": {"layers": [net]}}
    path = with_network(whole, net, tmp_path / f"net{suffix}")
    with pytest.raises(ModelError, match="nested too deep"):
        load_model(path)
    with pytest.raises(ValueError, match="nested too deep"):
        network_of("[" * 100_000 + "]" * 100_000)


def test_names_of_strangers_are_shown_short_and_without_escapes(whole, tmp_path):
    net = network(whole)
    net["config"]["layers"][1]["class_name"] = "\x1b[2J" + "x" * 100_000
    with pytest.raises(ModelError) as caught:
        load_model(with_network(whole, net, tmp_path / "net.keras"))
    assert len(str(caught.value)) < 500
    assert "\x1b" not in str(caught.value)


def linked(kind, path, secret):
    """Write weights of which one lies in another file."""
    with h5py.File(secret, "w") as file:
        file["x"] = np.ones((1, 1, 3, 2), np.float32)
    secret.with_suffix(".bin").write_bytes(bytes(24))
    place = (
        "layers/conv2d/vars" if "layers" in h5py.File(path, "r") else "model_weights/c"
    )
    with h5py.File(path, "r+") as file:
        group = file[place]
        name = "0" if "layers" in place else "evil"
        if name in group:
            del group[name]
        if kind == "external link":
            group[name] = h5py.ExternalLink(secret, "x")
        elif kind == "soft link":
            group[name] = h5py.SoftLink(f"/{place}/1")
        elif kind == "external storage":
            where = [(str(secret.with_suffix(".bin")), 0, 24)]
            group.create_dataset(name, (1, 1, 3, 2), np.float32, external=where)
        elif kind == "virtual":
            layout = h5py.VirtualLayout((1, 1, 3, 2), np.float32)
            layout[:] = h5py.VirtualSource(secret, "x", (1, 1, 3, 2))
            group.create_virtual_dataset(name, layout)
        elif kind == "no values":
            group.create_dataset(name, (2**20, 2**20), np.float32, chunks=(64, 64))
        elif kind == "text":
            group[name] = ["a text of any length"]
        else:
            group[name] = np.dtype(np.float32)  # a type by itself


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("external link", "is a link"),
        ("soft link", "is a link"),
        ("external storage", "in another file"),
        ("virtual", "from other arrays"),
        ("no values", "no values in the file"),
        ("text", "holds no numbers"),
        ("type", "neither a group nor an array"),
    ],
)
def test_weights_lie_in_the_file(kind, words, suffix, whole, tmp_path):
    path = tmp_path / f"net{suffix}"
    weights = tmp_path / "weights.h5" if suffix == ".keras" else path
    if suffix == ".keras":
        with zipfile.ZipFile(whole / "net.keras") as archive:
            weights.write_bytes(archive.read("model.weights.h5"))
    else:
        weights.write_bytes((whole / "net.h5").read_bytes())
    linked(kind, weights, tmp_path / "secret.h5")
    if suffix == ".keras":
        with (
            zipfile.ZipFile(whole / "net.keras") as old,
            zipfile.ZipFile(path, "w") as new,
        ):
            new.writestr("config.json", old.read("config.json"))
            new.write(weights, "model.weights.h5")
    with pytest.raises(ModelError, match=f"not as Keras writes it: .*{words}"):
        load_model(path)


def test_a_group_in_itself_ends(tmp_path):
    with h5py.File(tmp_path / "loop.h5", "w") as file:
        group = file.create_group("a")
        group["b"] = group
        group["c"] = np.zeros(3, np.float32)
    check_weights_file(tmp_path / "loop.h5")


def test_compressed_weights_are_no_harm(tmp_path):
    with h5py.File(tmp_path / "zeros.h5", "w") as file:
        zeros = np.zeros((1000, 1000), np.float32)
        file.create_dataset("a", data=zeros, compression="gzip")
        file.create_dataset("none", data=np.zeros((0, 3), np.float32))
    check_weights_file(tmp_path / "zeros.h5")


def test_other_members_of_an_archive_are_left_out(whole, tmp_path):
    path = with_network(whole, network(whole), tmp_path / "net.keras")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("assets/layers/c/vocabulary.txt", "x")
        archive.writestr("../outside", "x")
    assert load_model(path).model is not None
    assert not (tmp_path.parent / "outside").exists()


def test_the_network_that_is_looked_at_is_the_one_that_is_built(whole, tmp_path):
    """An archive may hold two networks of one name."""
    touched = tmp_path / "touched"
    evil = network(whole)
    in_layers(evil, {"made": function(registered=OURS), "path": str(touched)})
    for first, second in ((evil, network(whole)), (network(whole), evil)):
        path = with_network(whole, first, tmp_path / "net.keras")
        with (
            zipfile.ZipFile(path, "a") as archive,
            pytest.warns(UserWarning, match="Duplicate"),
        ):
            archive.writestr("config.json", json.dumps(second))
        with contextlib.suppress(ModelError):
            load_model(path)
        assert not touched.exists()


def test_a_heap_that_hdf5_never_gets_past_is_refused(tmp_path):
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "{}"
    content = bytearray(path.read_bytes())
    heap = content.find(b"GCOL")
    free = heap + 16 + 24  # behind the one text
    content[free : free + 16] = bytes(16)
    check_weights_file(path)
    path.write_bytes(content)
    with pytest.raises(OSError, match="heap"):
        check_weights_file(path)
