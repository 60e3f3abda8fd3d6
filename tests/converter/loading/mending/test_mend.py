"""Old descriptions in today's words: what changes, what must not, what is refused."""

from __future__ import annotations

import json
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import h5py
import keras
import networks

from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.loading.formats.hdf5 import PLUGIN as HDF5
from edgeseg.converter.loading.load import load_model
from edgeseg.converter.loading.mending.mend import mend
from edgeseg.converter.networks import resizing as layers
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


@pytest.mark.parametrize("value", [True, 0, 2, 0.0, "x", [1], {"a": 1}])
def test_only_what_says_nothing_is_dropped(value):
    with pytest.raises(ModelError, match="has twist="):
        mended("Conv2D", twist=value)


@pytest.mark.parametrize("value", [None, False, 1, "", [], {}])
def test_what_says_nothing_is_dropped(value):
    assert mended("Conv2D", twist=value)[1] == {"name": "it"}


def test_layers_that_only_train_say_nothing():
    assert mended("RandomContrast", factor=0.1, twist=0.5)[1] == {
        "name": "it",
        "factor": 0.1,
    }


def test_what_a_layer_hands_to_its_base_is_known():
    options = {"filters": 2, "kernel_size": 3, "unroll": True}
    assert mended("ConvLSTM2D", **options)[1]["unroll"] is True


def test_a_layer_of_edgeseg_is_left_as_it_is():
    layers.register()
    _, config, _ = mended("edgeseg>BilinearResize", height=2, width=2, novel=0.5)
    assert config == {"name": "it", "height": 2, "width": 2, "novel": 0.5}


def test_a_class_of_somebody_s_own_is_left_as_it_is():
    own = {"class_name": "Conv2D", "module": "mine", "registered_name": "mine>Conv2D"}
    own["config"] = {"twist": 0.5}
    network = {"class_name": "Functional", "config": {"layers": [own]}}
    assert mend(Path("net.keras"), network, "3.8.0").config == network


def nested(layers, calls, *output):
    inner = {"class_name": "Model", "name": "inner", "config": {"layers": []}}
    inner["inbound_nodes"] = [[["image", 0, 0, {}]]] * calls
    config = {"layers": [inner, *layers], "output_layers": [list(output)]}
    return mend(Path("old.h5"), {"class_name": "Model", "config": config}, OLD).config


def user(*call):
    return {
        "class_name": "Add",
        "name": "sum",
        "config": {"name": "sum"},
        "inbound_nodes": [[list(call)]],
    }


def test_calls_of_models_inside_are_counted_from_0():
    made = nested([user("inner", 1, 0, {})], 2, "inner", 2, 0)["config"]
    assert made["output_layers"] == [["inner", 1, 0]]
    assert made["layers"][1]["inbound_nodes"] == [[["inner", 0, 0, {}]]]


def test_calls_that_are_counted_from_0_stay():
    made = nested([user("inner", 1, 0, {})], 2, "inner", 0, 0)["config"]
    assert made["output_layers"] == [["inner", 0, 0]]
    assert made["layers"][1]["inbound_nodes"] == [[["inner", 1, 0, {}]]]


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


def rewritten(path, change, version=None):
    """Change the network in a .keras file, and the version that it says."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(content["config.json"])
    change(config)
    content["config.json"] = json.dumps(config)
    if version is not None:
        content["metadata.json"] = json.dumps({"keras_version": version})
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def entries(config):
    """Yield every layer and initializer of a network."""
    for layer in config["config"]["layers"]:
        yield layer
        for value in layer["config"].values():
            if isinstance(value, dict) and "Policy" not in str(value):
                yield value


def test_a_file_of_a_newer_keras_loads(tmp_path):
    model = networks.fcn8s(keras, (32, 32))
    model.save(tmp_path / "net.keras")

    def add(config):
        for entry in entries(config):
            entry["config"] |= {"future_axes": None, "future_flag": False}

    tensor = np.random.default_rng(2).random((1, 32, 32, 3), np.float32)
    path = rewritten(tmp_path / "net.keras", add, "4.2.0")
    np.testing.assert_array_equal(
        load_model(path).model.predict(tensor, verbose=0),
        model.predict(tensor, verbose=0),
    )


def test_a_setting_of_a_newer_keras_that_means_something_is_refused(tmp_path):
    networks.unet(keras, (32, 32)).save(tmp_path / "net.keras")

    def add(config):
        config["config"]["layers"][1]["config"]["twist"] = True

    with pytest.raises(ModelError, match=r"twist=True, which Keras 3.* does not know"):
        load_model(rewritten(tmp_path / "net.keras", add, "4.2.0"))


def test_a_file_of_an_older_keras_loads(tmp_path):
    """Files say less the older they are: here no more than what has no default."""
    model = networks.unet(keras, (32, 32))
    model.save(tmp_path / "net.keras")
    needed = {"name", "filters", "kernel_size", "strides", "padding", "batch_shape"}
    needed |= {"pool_size", "axis", "activation", "use_bias"}

    def strip(config):
        for entry in config["config"]["layers"]:
            entry["config"] = {k: v for k, v in entry["config"].items() if k in needed}

    tensor = np.random.default_rng(2).random((1, 32, 32, 3), np.float32)
    path = rewritten(tmp_path / "net.keras", strip, "3.0.0")
    np.testing.assert_array_equal(
        load_model(path).model.predict(tensor, verbose=0),
        model.predict(tensor, verbose=0),
    )


def test_archives_of_keras_2_load(tf_keras, tmp_path):
    """With a model inside that is called twice, a function, and old initializers."""
    layers = tf_keras.layers
    inner = tf_keras.Sequential([tf_keras.Input((32, 32, 3)), layers.Conv2D(3, 3)])
    image = tf_keras.Input((32, 32, 3))
    x = layers.ZeroPadding2D()(inner(image))
    y = layers.BatchNormalization()(layers.LeakyReLU(0.2)(inner(x)))
    model = networks.settle(tf_keras.Model(image, y * 0.5))
    path = saved(model, tmp_path / "old.keras")
    tensor = np.random.default_rng(2).random((1, 32, 32, 3), np.float32)
    np.testing.assert_allclose(
        load_model(path).model.predict(tensor, verbose=0),
        model(tensor).numpy(),
        atol=1e-6,
    )


def test_mixed_precision_was_for_training(tmp_path):
    layers = keras.layers
    image = keras.Input((32, 32, 3))
    x = layers.Conv2D(4, 3, dtype="mixed_float16")(image)
    x = keras.ops.cast(layers.BatchNormalization(dtype="mixed_float16")(x), "float16")
    model = keras.Model(image, layers.Conv2D(2, 1, dtype="mixed_float16")(x))
    networks.settle(model).save(tmp_path / "half.keras")
    loaded = load_model(tmp_path / "half.keras").model
    assert {layer.compute_dtype for layer in loaded.layers} == {"float32"}
    assert loaded.output.dtype == "float32"
    tensor = np.random.default_rng(2).random((1, 32, 32, 3), np.float32)
    np.testing.assert_allclose(
        loaded.predict(tensor, verbose=0), model.predict(tensor, verbose=0), atol=5e-3
    )
    lower(loaded)


@pytest.mark.parametrize(
    "name",
    [
        "k215_nested_multi.h5",
        "k215_nested_single.h5",
        "k215_plain.keras",
        "k215_tutorial.h5",
        "mixed_float16.keras",
    ],
)
def test_files_that_people_have_load(name, shared):
    path = shared / "cases" / "keras" / name
    if not path.is_file():
        pytest.skip("needs the developers' folder of cases")
    assert load_model(path).model.output.shape == (1, 64, 64, 3)
