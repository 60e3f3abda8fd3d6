"""What went wrong stands in the line: errors as Keras and TensorFlow raise them."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import h5py
import keras
import tensorflow as tf

from edgeseg.converter.cause import cause
from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.loading.load import load_model
from edgeseg.devices import ConversionError, ModelError


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two convolutions, added, in both formats."""
    folder = tmp_path_factory.mktemp("whole")
    layers = keras.layers
    image = keras.Input((16, 16, 3))
    both = [layers.Conv2D(4, 1, name=name)(image) for name in "cd"]
    model = keras.Model(image, layers.Add(name="sum")(both))
    for suffix in (".keras", ".h5"):
        model.save(folder / f"net{suffix}")
    return folder


def changed(whole, path, change):
    """Write the network with a change to the description of layer c."""
    with zipfile.ZipFile(whole / "net.keras") as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(content["config.json"])
    change(config["config"]["layers"][1], config["config"])
    if path.suffix == ".h5":
        path.write_bytes((whole / "net.h5").read_bytes())
        with h5py.File(path, "r+") as file:
            file.attrs["model_config"] = json.dumps(config)
        return path
    content["config.json"] = json.dumps(config)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def setting(key, value):
    return lambda layer, _: layer["config"].update({key: value})


# A change that Keras refuses, and what its error says after all that it says before
REFUSED = {
    "value": (setting("filters", -3), r"layer 'c' \(Conv2D\): .*filters=-3\.?$"),
    "missing": (
        lambda layer, _: layer["config"].pop("filters"),
        r"layer 'c' \(Conv2D\): .*missing 1 required positional argument: 'filters'$",
    ),
    "type": (setting("kernel_size", "x"), r"layer 'c' \(Conv2D\): .*kernel_size=x$"),
    "policy": (setting("dtype", ["x"]), r"layer 'c' \(Conv2D\): .*dtype"),
    "shapes": (setting("filters", 7), r"Add.*\(16, 16, 7\) and \(16, 16, 4\)$"),
    "rank": (
        lambda _, net: net["layers"][0]["config"].update(batch_shape=[None, 16, 16]),
        r"layer ['\"]c['\"].*expected min_ndim=4, found ndim=3",
    ),
    "outputs": (lambda _, net: net.pop("output_layers"), "output"),
    "reference": (
        lambda layer, _: layer["inbound_nodes"][0]["args"][0]["config"].update(
            keras_history=["gone", 0, 0]
        ),
        "gone",
    ),
    "weights": (
        lambda _, net: [one["config"].update(filters=5) for one in net["layers"][1:3]],
        r"shape|\(5,\)",
    ),
}


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_keras_refuses_says_why(kind, suffix, whole, tmp_path):
    change, words = REFUSED[kind]
    path = changed(whole, tmp_path / f"net{suffix}", change)
    with pytest.raises(ModelError, match=words) as caught:
        load_model(path)
    line = str(caught.value)
    assert line.startswith(f"Keras cannot load {path}: ")
    assert len(line) < len(str(path)) + 330
    assert "\n" not in line
    assert "deserialized" not in line


def test_a_setting_of_a_stranger_is_shown_short(whole, tmp_path):
    path = changed(whole, tmp_path / "net.keras", setting("twist", "x" * 100_000))
    with pytest.raises(ModelError, match="twist='xxx") as caught:
        load_model(path)
    assert len(str(caught.value)) < len(str(path)) + 330


def network(function):
    class Odd(keras.layers.Layer):
        def call(self, x):
            return function(x)

    image = keras.Input(batch_shape=(1, 8, 8, 3))
    return keras.Model(image, Odd(name="odd")(image))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (
            lambda x: tf.image.crop_and_resize(x, [[0.0, 0, 1, 1]], [0], (4, 4)),
            r"operator for CropAndResize, at \S*odd\S*: tf\.CropAndResize\(tensor<1x",
        ),
        (tf.math.digamma, r"no operator for Digamma, at \S*odd"),
        (
            lambda x: tf.strings.to_number(tf.strings.as_string(x)),
            "no operator for AsString, StringToNumber",
        ),
    ],
)
def test_a_network_that_cannot_be_lowered_says_by_what(function, words):
    with pytest.raises(ConversionError, match=words) as caught:
        lower(network(function))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("short", "short"),
        ("", ""),
        ("a\n\n  b\tc", "a b c"),
        ("x\x1b[2Jy\x00z", "xy z"),
        ("loose\n\nconfig={'a': 1}.", "loose"),
        ("config={'a': 1}.", "config={'a': 1}."),
        ("A: <unknown>:0: error: loc(f[(1)]): no such op\nnote: loc", "no such op"),
        ("Exception encountered when calling A.call().\n\n\x1b[1mwhy\x1b[0m", "A: why"),
        ("s" * 500 + "end", "s" * 148 + " ... " + "s" * 144 + "end"),
    ],
)
def test_other_texts(text, expected):
    assert cause(ValueError(text)) == expected


def test_a_text_of_any_kind_is_bounded():
    draw = np.random.default_rng(0)
    parts = ["Exception encountered: ", "config={", "\n\n", "loc(", ")", "\x1b[1m", "x"]
    parts += ["<unknown>:0: error: ", "Custom ops: ", "TF Select ops: ", "\x1b[0m"]
    for _ in range(300):
        text = "".join(draw.choice(parts, int(draw.integers(1, 40))))
        said = cause(ValueError(text))
        assert len(said) <= 300
        assert "\n" not in said
