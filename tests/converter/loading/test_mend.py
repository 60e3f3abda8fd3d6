"""Old descriptions in today's words: what changes, what must not, what is refused."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import h5py
import networks

from edgeseg.converter.loading.formats.hdf5 import PLUGIN as HDF5
from edgeseg.converter.loading.load import Loading, load_model
from edgeseg.converter.loading.mend import mend
from edgeseg.devices import ModelError

OLD = "2.2.4-tf"


@pytest.fixture(scope="module")
def tf_keras():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("tf_keras", reason="writes Keras 2 files")


def mended(name, *, version=OLD, **config):
    network = {"class_name": "Model", "config": {"name": "net", "layers": []}}
    layer = {"class_name": name, "config": {"name": "it", **config}}
    network["config"]["layers"].append(layer)
    result = mend(Path("old.h5"), network, version)
    assert layer["config"] == {"name": "it", **config}  # left as it was
    (out,) = result.config["config"]["layers"]
    return out["class_name"], out["config"], result


@pytest.mark.parametrize(
    ("name", "config", "expected"),
    [
        (
            "Conv2D",
            {
                "filters": 2,
                "kernel_initializer": {"class_name": "Zeros", "config": {"dtype": "x"}},
                "bias_regularizer": None,
                "kernel_constraint": {"class_name": "Novel", "config": {}},
            },
            {"filters": 2},
        ),
        ("InputLayer", {"batch_input_shape": [None, 8, 8, 3], "sparse": False}, None),
        (
            "BatchNormalization",
            {"axis": [3], "fused": True, "adjustment": None},
            {"axis": 3},
        ),
        ("LeakyReLU", {"alpha": {"type": "ndarray", "value": 0.25}}, None),
        (
            "DepthwiseConv2D",
            {"kernel_size": [3, 3], "groups": 1},
            {"kernel_size": [3, 3]},
        ),
        (
            "Conv2D",
            {"dtype": {"class_name": "Policy", "config": {"name": "mixed_float16"}}},
            {"dtype": "float32"},
        ),
        ("SpatialDropout2D", {"rate": 0.5, "trainable": True}, {"rate": 0.5}),
    ],
)
def test_description_changes_and_meaning_does_not(name, config, expected):
    special = {
        "InputLayer": {"batch_shape": [None, 8, 8, 3]},
        "LeakyReLU": {"negative_slope": 0.25},
    }
    kind, got, _ = mended(name, **config)
    assert kind == name
    assert got == {"name": "it", **(expected or special[name])}


def test_renamed_classes():
    kind, _, result = mended("BatchNormalizationV2", axis=3)
    assert kind == "BatchNormalization"
    assert result.config["class_name"] == "Functional"


def test_setting_that_means_something_is_not_dropped():
    with pytest.raises(ModelError, match=r"'it' \(Conv2D\) has twist=0\.5"):
        mended("Conv2D", twist=0.5)


def test_numbers_of_the_old_hard_sigmoid():
    _, config, result = mended("Activation", activation="hard_sigmoid")
    function = result.custom_objects[config["activation"]]
    values = np.array([-3, -1, 0, 1, 3], np.float32)
    np.testing.assert_allclose(function(values), [0, 0.3, 0.5, 0.7, 1], atol=1e-6)
    assert mended("Activation", activation="hard_sigmoid", version="3.1.0")[1] == {
        "name": "it",
        "activation": "hard_sigmoid",
    }


def test_the_oldest_bilinear_upsampling_is_told():
    options = {"size": [2, 2], "interpolation": "bilinear"}
    assert "'it'" in mended("UpSampling2D", version="2.2.4", **options)[2].notes[0]
    assert mended("UpSampling2D", version="2.4.0", **options)[2].notes == ()


@pytest.mark.parametrize("config", [{}, {"class_name": 3}, {"class_name": None}])
def test_what_is_no_network(config):
    with pytest.raises(ModelError, match="no network that Keras wrote"):
        mend(Path("old.h5"), config, OLD)


def functions(tf_keras):
    """Return a Keras 2 network whose code called TensorFlow between the layers."""
    import tensorflow as tf

    layers = tf_keras.layers
    image = tf_keras.Input((32, 32, 3))
    branches = [layers.Conv2D(4, 1)(image), layers.Conv2D(4, 1)(image)]
    x = tf.concat(branches, -1)
    y = tf.nn.relu6(x + 3.0) * (1 / 6.0) * x
    y = tf.add(2.0 - y, x) - 1.0
    y = tf.image.resize(tf.image.resize(y, (64, 64)), size=(32, 32), method="nearest")
    y = tf.compat.v1.image.resize_bilinear(y, (65, 65), align_corners=True) / 3.0
    y = y * tf.nn.sigmoid(tf.reduce_mean(y, [1, 2], keepdims=True))
    y = -tf.nn.leaky_relu(tf.nn.silu(y))
    return networks.settle(tf_keras.Model(image, tf.nn.softmax(y, axis=-1)))


def saved(model, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)
    return path


def test_functions_of_tensorflow_become_layers(tf_keras, tmp_path):
    model = functions(tf_keras)
    loaded = load_model(saved(model, tmp_path / "functions.h5"))
    tensor = np.random.default_rng(2).random((1, 32, 32, 3), np.float32)
    np.testing.assert_allclose(
        loaded.model.predict(tensor, verbose=0), model(tensor).numpy(), atol=1e-6
    )


def test_function_without_a_layer_is_refused_trusted_or_not(tf_keras, tmp_path):
    import tensorflow as tf

    image = tf_keras.Input((32, 32, 3))
    model = tf_keras.Model(image, tf.math.cumsum(image, axis=1))
    path = saved(model, tmp_path / "cumsum.h5")
    for trust in (False, True):
        with pytest.raises(
            ModelError, match=r"function math\.cumsum.*Keras 3's layers"
        ):
            load_model(path, Loading(trust=trust))


def test_branches_keep_their_own_weights_in_any_order(tf_keras, tmp_path):
    """Equal shapes side by side: taking weights by order alone could swap them."""
    layers = tf_keras.layers
    image = tf_keras.Input((16, 16, 3))
    names = ["late", "b", "early", "a"]
    made = {name: layers.Conv2D(3, 1, name=name)(image) for name in names}
    x = layers.Subtract()([made["a"], made["late"]])
    x = layers.Subtract()(
        [layers.Concatenate()([x, made["b"]]), layers.Concatenate()([made["early"], x])]
    )
    model = networks.settle(tf_keras.Model(image, x))
    path = saved(model, tmp_path / "branches.h5")
    with h5py.File(path, "r+") as file:
        group = file["model_weights"]
        group.attrs["layer_names"] = group.attrs["layer_names"][::-1]
    tensor = np.random.default_rng(2).random((1, 16, 16, 3), np.float32)
    np.testing.assert_allclose(
        load_model(path).model.predict(tensor, verbose=0),
        model(tensor).numpy(),
        atol=1e-6,
    )


def test_a_strangers_network_mends_but_for_its_lambdas(shared, tmp_path):
    """The real 2.2.4 file, with what its four Lambdas did said in layers."""
    source = shared / "models" / "keras" / "portrait_slim_reshape_v2.h5"
    path = tmp_path / "portrait.h5"
    path.write_bytes(source.read_bytes())
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        assert config["config"]["layers"].pop()["class_name"] == "Reshape"
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "Lambda":
                name, kind = layer["name"], "UpSampling2D"
                options = {"size": [2, 2], "interpolation": "bilinear"}
                if name == "strided_slice":
                    kind, options = "Activation", {"activation": "linear"}
                layer.update(class_name=kind, config={"name": name, **options})
        config["config"]["output_layers"] = [["strided_slice", 0, 0]]
        file.attrs["model_config"] = json.dumps(config)
        group = file["model_weights"]["conv2d"]
        kernel = group[group.attrs["weight_names"][0]][()]
    model = HDF5().read(path, Loading()).model
    assert model.outputs[0].shape == (None, 512, 512, 2)
    np.testing.assert_array_equal(model.get_layer("conv2d").get_weights()[0], kernel)
    (scores,) = model.predict([np.zeros((1, 512, 512, 3), np.float32)], verbose=0)
    np.testing.assert_allclose(scores.sum(-1), 1.0, atol=1e-5)
