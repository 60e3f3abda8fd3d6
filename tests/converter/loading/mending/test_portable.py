"""Files written for every Keras 3: they say little, and load to the same network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import keras
import networks

from edgeseg.converter.loading.load import load_model
from edgeseg.converter.loading.mending.portable import make_portable, save_portable
from edgeseg.converter.networks.resizing import resize_to
from edgeseg.converter.shipped import keras_file
from edgeseg.devices import OutputError

# Settings of layers that Keras 3.8, the oldest in use, does not take
NEWER = {"renorm", "renorm_clipping", "renorm_momentum", "quantization_config"}
NEWER |= {"input_axes", "output_axes", "output_padding", "antialias", "use_gate"}


def answers(model):
    shape = (1, *model.inputs[0].shape[1:])
    tensor = np.random.default_rng(3).random(shape, np.float32)
    return model.predict(tensor, verbose=0)


def content(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def described(path):
    """Return the layers of a network, those of models inside too, by name."""
    found, waiting = {}, [json.loads(content(path)["config.json"])]
    while waiting:
        entry = waiting.pop()
        found[entry["config"].get("name")] = entry
        waiting += entry["config"].get("layers", [])
    return found


def nested(keras):
    """A network with a model and a wrapper inside, resized with aligned corners."""
    layers = keras.layers
    inner = keras.Sequential([keras.Input((32, 32, 3)), layers.Conv2D(4, 3)])
    image = keras.Input((32, 32, 3))
    x = layers.BatchNormalization(momentum=0.5, trainable=False)(inner(image))
    x = layers.TimeDistributed(layers.Dense(4, activation="gelu"))(x)
    x = layers.UpSampling2D(2, interpolation="bilinear")(
        layers.Dropout(0.25, name="drop")(x)
    )
    x = resize_to(x, (32, 32), "align-corners", name="resize")
    return networks.settle(keras.Model(image, layers.Conv2DTranspose(2, 1)(x)))


NETWORKS = [networks.unet, networks.fcn8s, networks.segnet, nested]


@pytest.mark.long
@pytest.mark.parametrize("network", NETWORKS, ids=lambda one: one.__name__)
def test_the_network_stays_the_same(network, tmp_path):
    model = network(keras)
    save_portable(model, tmp_path / "net.keras")
    wanted = answers(model)
    native = keras.models.load_model(tmp_path / "net.keras")
    np.testing.assert_array_equal(answers(native), wanted)
    ours = load_model(tmp_path / "net.keras").model
    np.testing.assert_allclose(answers(ours), wanted, atol=1e-6)
    assert [one.trainable for one in native.layers] == [
        one.trainable for one in model.layers
    ]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda one: one.__name__)
def test_nothing_is_said_that_says_nothing(network, tmp_path):
    network(keras).save(tmp_path / "long.keras")
    shutil.copy(tmp_path / "long.keras", tmp_path / "short.keras")
    make_portable(tmp_path / "short.keras")
    long, short = (content(tmp_path / f"{name}.keras") for name in ("long", "short"))
    assert len(short["config.json"]) < 0.6 * len(long["config.json"])
    for name, entry in described(tmp_path / "short.keras").items():
        assert not NEWER & entry["config"].keys(), name
        assert not any(key.endswith("_initializer") for key in entry["config"]), name
        assert not {"build_config", "compile_config"} & entry.keys()


def test_a_layer_that_reads_its_settings_itself_finds_all(tmp_path):
    image = keras.Input((16, 16, 3))
    x = keras.layers.Rescaling(1 / 255)(image)  # its offset is the default
    model = keras.Model(image, keras.layers.Conv2D(2, 1)(x))
    save_portable(model, tmp_path / "rescaling.keras")
    again = keras.models.load_model(tmp_path / "rescaling.keras", compile=False)
    picture = np.full((1, 16, 16, 3), 200, np.float32)
    np.testing.assert_array_equal(
        again.predict_on_batch(picture), model.predict_on_batch(picture)
    )


def test_what_a_layer_says_of_itself_stays(tmp_path):
    save_portable(nested(keras), tmp_path / "net.keras")
    layers = described(tmp_path / "net.keras")
    assert layers["drop"]["config"]["rate"] == 0.25
    resize = layers["resize"]
    assert resize["registered_name"] == "edgeseg>BilinearResize"
    assert resize["config"].pop("dtype")
    assert resize["config"] == {
        "name": "resize",
        "trainable": True,
        "height": 32,
        "width": 32,
        "align_corners": True,
        "half_pixel_centers": False,
    }
    (norm,) = [e for e in layers.values() if e["class_name"] == "BatchNormalization"]
    assert norm["config"].keys() == {"name", "trainable", "dtype", "momentum"}


def test_the_bytes_depend_on_the_network_alone(tmp_path):
    networks.unet(keras).save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as old:
        members = {name: old.read(name) for name in reversed(old.namelist())}
    members["metadata.json"] = json.dumps(
        {"date_saved": "another", **json.loads(members["metadata.json"])}
        | {"date_saved": "day"}
    )
    with zipfile.ZipFile(tmp_path / "b.keras", "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in members.items():
            new.writestr(name, data)
    for name in "ab":
        make_portable(tmp_path / f"{name}.keras")
    made = (tmp_path / "a.keras").read_bytes()
    assert made == (tmp_path / "b.keras").read_bytes()
    make_portable(tmp_path / "a.keras")
    assert made == (tmp_path / "a.keras").read_bytes()
    assert (
        content(tmp_path / "a.keras")["model.weights.h5"] == members["model.weights.h5"]
    )


@pytest.mark.long
def test_the_bytes_do_not_depend_on_what_a_process_did_before(tmp_path):
    nested(keras).save(tmp_path / "here.keras")
    shutil.copyfile(tmp_path / "here.keras", tmp_path / "there.keras")
    make_portable(tmp_path / "here.keras")
    code = (
        "import sys; from pathlib import Path\n"
        "from edgeseg.converter.loading.mending.portable import make_portable\n"
        "make_portable(Path(sys.argv[1]))"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "there.keras")],
        check=True,
        capture_output=True,
    )
    here, there = (tmp_path / f"{name}.keras" for name in ("here", "there"))
    assert here.read_bytes() == there.read_bytes()


def test_a_layer_of_somebody_s_own_is_described_as_it_describes_itself(tmp_path):
    @keras.saving.register_keras_serializable("somebody")
    class Conv2D(keras.layers.Layer):
        def __init__(self, groups=1, **options):
            super().__init__(**options)
            self.groups = groups

        def get_config(self):
            return {**super().get_config(), "groups": self.groups, "renorm": None}

        @classmethod
        def from_config(cls, config):
            assert config.pop("renorm", 0) is None
            return cls(**config)

        def call(self, x):
            return x * self.groups

    image = keras.Input((16, 16, 3))
    model = keras.Model(image, keras.layers.Conv2D(2, 1)(Conv2D(name="own")(image)))
    save_portable(model, tmp_path / "net.keras")
    own = described(tmp_path / "net.keras")["own"]
    assert {"groups", "renorm"} <= own["config"].keys()
    native = keras.models.load_model(tmp_path / "net.keras")
    np.testing.assert_array_equal(answers(native), answers(model))


def test_the_file_has_the_rights_of_any_other(tmp_path):
    before = os.umask(0o022)
    try:
        save_portable(networks.unet(keras, (32, 32)), tmp_path / "net.keras")
    finally:
        os.umask(before)
    assert (tmp_path / "net.keras").stat().st_mode & 0o777 == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["net.keras"]


@pytest.mark.long
def test_the_model_that_ships_stays_the_same(tmp_path):
    shutil.copyfile(keras_file(), tmp_path / "animals.keras")
    make_portable(tmp_path / "animals.keras")
    made, shipped = (
        load_model(path).model for path in (tmp_path / "animals.keras", keras_file())
    )
    assert [one.name for one in made.layers] == [one.name for one in shipped.layers]
    for one, other in zip(made.get_weights(), shipped.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(answers(made), answers(shipped))


def test_a_full_disk_names_the_file(full_disk):
    """Where Keras' own file fits, there is room for the portable one too."""
    layers = keras.layers
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(1000, 1)])
    save_portable(model, full_disk / "net.keras")
    assert [path.name for path in full_disk.iterdir()] == ["net.keras"]
    with pytest.raises(OutputError, match=r"cannot write .*/more\.keras: No space"):
        save_portable(model, full_disk / "more.keras")
    assert [path.name for path in full_disk.iterdir()] == ["net.keras"]
