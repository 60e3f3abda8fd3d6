"""Nothing that a model file brings or names is run before it was let in."""

from __future__ import annotations

import base64
import json
import marshal
import sys
import zipfile

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import keras
import networks

from edgeseg.converter.loading.format import Loading
from edgeseg.converter.loading.load import load_model
from edgeseg.converter.loading.trust.bytecode import decode, global_names, is_plausible
from edgeseg.converter.loading.trust.scan import scan
from edgeseg.devices import ModelError

CODE = """
import pathlib, sys
import keras
pathlib.Path(__file__).with_suffix(".ran").touch()

@keras.saving.register_keras_serializable("strangers")
class Tripled(keras.layers.Layer):
    def call(self, x):
        return 3.0 * x

def halved(x):
    return x / 2
"""


def rewrite(path, change):
    """Change the network in a .keras file, as anybody with an editor can."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(content["config.json"])
    change(config)
    content["config.json"] = json.dumps(config)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def plain(path, **options):
    image = keras.Input((32, 32, 3))
    scores = keras.layers.Conv2D(2, 1, name="scores", **options)(image)
    keras.Model(image, scores).save(path)
    return path


def layer_of(config, name):
    return next(one for one in config["config"]["layers"] if one["name"] == name)


def entry(name, module="keras.layers", **inner):
    return {"class_name": name, "module": module, "config": {"name": "x", **inner}}


def own_loss(truth, guess):
    return guess


@pytest.mark.parametrize(
    "network",
    [networks.unet, networks.fcn8s, networks.segnet],
    ids=lambda f: f.__name__,
)
def test_stock_networks_run_nothing(network, tmp_path):
    model = network(keras)
    model.compile("adam", loss=own_loss)
    model.save(tmp_path / "net.keras")
    with zipfile.ZipFile(tmp_path / "net.keras") as archive:
        assert scan(json.loads(archive.read("config.json"))) == []


@pytest.mark.parametrize(
    ("part", "what"),
    [
        (entry("Lambda"), "Lambda"),
        (entry("TFSMLayer", filepath="/tmp/x"), "TFSMLayer"),
        (entry("TorchModuleWrapper"), "TorchModuleWrapper"),
        (entry("get_file", "keras.utils"), "class keras.utils.get_file"),
        (entry("Layer", "strangers.code"), "class strangers.code.Layer"),
        (entry("Popen", "subprocess"), "class subprocess.Popen"),
        (entry("Novel", None), "class Novel"),
        (entry("edgeseg>Novel", None), "class edgeseg>Novel"),
        (entry("Conv2D", "kerasish.layers"), "class kerasish.layers.Conv2D"),
        ({"class_name": "__lambda__", "config": {}}, "Python lambda"),
        (
            {"class_name": "function", "module": "os", "config": "system"},
            "function os.system",
        ),
        (entry("Conv2D", activation="my_own"), "function my_own"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_would_run_is_found_at_any_depth(part, what):
    config = {
        "class_name": "Functional",
        "module": "keras.src.models.functional",
        "config": {"name": "net", "layers": [entry("TimeDistributed", layer=part)]},
    }
    assert [finding.what for finding in scan(config)] == [what]


def test_edgeseg_layers_are_known():
    part = entry(
        "BilinearResize", "edgeseg.converter.networks.resizing", height=4, width=4
    )
    part["registered_name"] = "edgeseg>BilinearResize"
    assert scan(part) == []


def test_lambda_hidden_in_an_activation_is_refused(tmp_path):
    hidden = {
        "class_name": "__lambda__",
        "config": {"value": "4wAA", "code": "4wAA", "defaults": None, "closure": None},
    }
    path = plain(tmp_path / "hidden.keras")
    rewrite(path, lambda c: layer_of(c, "scores")["config"].update(activation=hidden))
    with pytest.raises(ModelError, match=r"'scores' \(Python lambda\)"):
        load_model(path)
    with pytest.raises(ModelError, match="cannot load"):
        load_model(path, Loading(trust=True))


@pytest.fixture
def strangers(tmp_path, monkeypatch):
    """A module on the path that leaves a trace when it is imported."""
    (tmp_path / "strangers_code.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / "strangers_code.ran"
    sys.modules.pop("strangers_code", None)
    keras.saving.get_custom_objects().pop("strangers>Tripled", None)


def custom(path):
    """Return a file with a custom layer, as if its module were not imported yet."""

    def insert(config):
        layer = layer_of(config, "twice")
        layer["module"] = "strangers_code"
        layer["class_name"] = "Tripled"
        layer["registered_name"] = "strangers>Tripled"
        layer["config"] = {"name": "twice", "trainable": True, "dtype": "float32"}

    image = keras.Input((32, 32, 3))
    x = keras.layers.Rescaling(2.0, name="twice")(image)
    keras.Model(image, keras.layers.Conv2D(2, 1)(x)).save(path)
    return rewrite(path, insert)


def test_custom_layer_is_imported_only_when_trusted(strangers, tmp_path):
    path = custom(tmp_path / "custom.keras")
    with pytest.raises(ModelError, match=r"'twice' \(class strangers_code\.Tripled\)"):
        load_model(path)
    assert not strangers.exists()
    model = load_model(path, Loading(trust=True)).model
    assert strangers.exists()
    kernel = model.get_weights()[0]
    tensor = np.ones((1, 32, 32, 3), np.float32)
    expected = np.broadcast_to(3 * kernel.sum((0, 1, 2)), (1, 32, 32, 2))
    np.testing.assert_allclose(model.predict(tensor, verbose=0), expected, rtol=1e-5)


def test_custom_layer_that_cannot_be_imported(tmp_path):
    path = custom(tmp_path / "custom.keras")
    with pytest.raises(ModelError, match=r"not importable here.*--custom-objects"):
        load_model(path, Loading(trust=True))


def test_lambda_that_needs_what_the_file_lacks(tmp_path):
    image = keras.Input((32, 32, 3))
    x = keras.layers.Lambda(lambda x: x * len(CODE), name="far")(image)
    keras.Model(image, x).save(tmp_path / "far.keras")
    with pytest.raises(ModelError, match="'far' uses CODE, which the file does not"):
        load_model(tmp_path / "far.keras", Loading(trust=True))


def test_lambda_finds_the_usual_modules(tmp_path):
    image = keras.Input((32, 32, 3))
    scope = {}
    exec("def make():\n    return lambda x: tf.nn.relu(x) + np.float32(1)", scope)
    import tensorflow as tf

    scope |= {"tf": tf, "np": np}
    x = keras.layers.Lambda(scope["make"]())(image)
    keras.Model(image, x).save(tmp_path / "usual.keras")
    model = load_model(tmp_path / "usual.keras", Loading(trust=True)).model
    tensor = np.full((1, 32, 32, 3), -2, np.float32)
    np.testing.assert_allclose(model.predict(tensor, verbose=0), 1.0)


def sample(a, b=2):
    rows = [a * n for n in range(b) if n % 2]
    return max(rows) if rows else float(len(rows))


def test_code_of_this_python_is_plausible():
    text = base64.encodebytes(marshal.dumps(sample.__code__)).decode()
    assert decode(text, "here").co_names == sample.__code__.co_names
    assert global_names(sample.__code__) == {"range", "max", "float", "len"}
    modules = (json, zipfile, networks)
    functions = [f for m in modules for f in vars(m).values() if hasattr(f, "__code__")]
    assert len(functions) > 10
    assert all(is_plausible(function.__code__) for function in functions)


# lambda x: len(f"{x}-{x:>4}"), as each version compiles it
FOREIGN = {
    (3, 8): (
        "4wEAAAAAAAAAAAAAAAEAAAAFAAAAQwAAAHMUAAAAdAB8AJsAZAF8AGQCmwSdA4MBUwAp"
        "A076AS16Aj40KQHaA2xlbqkB2gF4qQByBQAAAPoOL3RtcC9iYy9mbnMucHnaCDxsYW1i"
        "ZGE+EAAAAPMAAAAA"
    ),
    (3, 11): (
        "4wEAAAAAAAAAAAAAAAYAAAADAAAA8ywAAACXAHQBAAAAAAAAAAAAAHwAmwBkAXwAZAKb"
        "BJ0DpgEAAKsBAAAAAAAAAABTACkDTvoBLXoCPjQpAdoDbGVuqQHaAXhzAQAAACD6Di90"
        "bXAvYmMvZm5zLnB5+gg8bGFtYmRhPnIHAAAAEAAAAHMaAAAAgACVM5ghkH2QfZhhkH2Q"
        "fZB90RMl1BMlgADzAAAAAA=="
    ),
    (3, 12): (
        "4wEAAAAAAAAAAAAAAAYAAAADAAAA8yQAAACXAHQBAAAAAAAAAAB8AJsAZAF8AGQCmwSd"
        "A6sBAAAAAAAAUwApA076AS16Aj40KQHaA2xlbqkB2gF4cwEAAAAg+g4vdG1wL2JjL2Zu"
        "cy5wefoIPGxhbWJkYT5yBwAAABAAAABzFwAAAIAAlDOYIZgTmEGYYaACmFaQfdMTJYAA"
        "8wAAAAA="
    ),
    (3, 13): (
        "4wEAAAAAAAAAAAAAAAYAAAADAAAA8yQAAACVAFsBAAAAAAAAAABVAA4AUwFVAFMCDwAz"
        "AzUBAAAAAAAAJAApA07aAS16Aj40KQHaA2xlbqkB2gF4cwEAAAAg2g4vdG1wL2JjL2Zu"
        "cy5wedoIPGxhbWJkYT5yBwAAABAAAABzFQAAAIAAlDOYIZgTmEGYYaACmFaQfdQTJfMA"
        "AAAA"
    ),
}


@pytest.mark.parametrize("version", FOREIGN)
def test_code_of_another_python_is_refused_not_run(version):
    # without jumps, 3.8 to 3.10 write the same
    here = sys.version_info[:2] if sys.version_info >= (3, 11) else (3, 8)
    if version == here:
        assert decode(FOREIGN[version], "here").co_names == ("len",)
    else:
        with pytest.raises(ModelError, match="not of this Python"):
            decode(FOREIGN[version], "there")


@pytest.mark.parametrize("raw", [b"", b"nonsense", marshal.dumps([1, 2]), b"\xe3\0\0"])
def test_what_is_no_code_is_refused(raw):
    with pytest.raises(ModelError, match="not of this Python"):
        decode(base64.b64encode(raw).decode(), "there")
