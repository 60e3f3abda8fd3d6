"""Files of other Keras versions and with layers of their own, as people have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter.frameworks import need
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.loading.load import load_model
from edgeseg.converter.loading.mending.layer_names import without_slashes
from edgeseg.converter.loading.mending.public_layers import as_keras_layer
from edgeseg.devices import InputError, ModelError

keras = need("keras")
FILES = Path(__file__).parents[2] / "golden" / "keras"
CUSTOM = FILES / "custom_layer.keras"
GATE = """
import keras

class Gate(keras.layers.Layer):
    def build(self, shape):
        self.gate = self.add_weight(shape=(shape[-1],), name="g")

    def call(self, x):
        return x * self.gate
"""


def test_names_with_a_slash_load_with_their_weights():
    import h5py

    model = load_model(FILES / "k215_slash.h5").model
    with h5py.File(FILES / "k215_slash.h5") as file:
        group = file["model_weights"]["Conv/x"]
        stored = np.array(group[group.attrs["weight_names"][0]])
    np.testing.assert_array_equal(model.get_layer("Conv_x").get_weights()[0], stored)


def test_two_names_never_become_one():
    layers = [{"class_name": "ReLU", "config": {"name": n}} for n in ("a_b", "a/b")]
    config = {"class_name": "Functional", "config": {"layers": layers}}
    assert without_slashes(config) == {"a/b": "a_b_"}


def test_a_public_layer_that_does_nothing_is_known_by_name():
    loaded = load_model(FILES / "k215_fixeddropout.h5")
    assert (
        "layer 'fixed_dropout' (FixedDropout) is taken for Dropout" in loaded.notes[0]
    )


@pytest.mark.parametrize(
    ("kind", "config", "expected"),
    [
        ("Addons>InstanceNormalization", {"epsilon": 0.1}, "GroupNormalization"),
        ("Swish", {}, "Activation"),
        ("BilinearUpsampling", {"output_size": [8, 8]}, "edgeseg>BilinearResize"),
        ("BilinearUpsampling", {"output_size": None}, None),
        ("Gate", {}, None),
    ],
)
def test_public_layers(kind, config, expected):
    entry = {"class_name": kind, "config": {"name": "it", **config}}
    made = as_keras_layer(entry)
    assert (made and made[0]["class_name"]) == expected


def test_a_layer_of_somebody_s_own_names_the_option_that_lets_it_in():
    with pytest.raises(ModelError, match="--trust-model, and name the Python file"):
        load_model(CUSTOM)
    with pytest.raises(ModelError, match="with --custom-objects, beside --trust-model"):
        load_model(CUSTOM, Loading(trust=True))


def test_a_file_lets_its_layers_in(tmp_path):
    file = tmp_path / "gates.py"
    file.write_text(GATE)
    loaded = load_model(CUSTOM, Loading(trust=True, custom_objects=str(file)))
    gate = loaded.model.get_layer("gate")
    assert len(gate.weights) == 1
    assert "runs code of the model file" in loaded.notes[0]


@pytest.mark.parametrize(
    ("text", "trust", "message"),
    [
        (GATE, False, "runs that code: add --trust-model"),
        ("1 / 0", True, "cannot be imported: ZeroDivisionError"),
        ("x = 1", True, "defines no class and no function"),
        (None, True, "there is no file"),
    ],
)
def test_files_that_let_nothing_in(text, trust, message, tmp_path):
    file = tmp_path / "gates.py"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError, match=message):
        load_model(CUSTOM, Loading(trust=trust, custom_objects=str(file)))
