"""Every format keeps the contract of one, and the check sees who breaks it."""

from __future__ import annotations

import dataclasses
import sys
import warnings

import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import keras
import tensorflow as tf

from edgeseg.converter.frameworks import third_party
from edgeseg.converter.loading.contract import check_format
from edgeseg.converter.loading.load import FORMATS
from edgeseg.devices import ModelError


def model():
    return keras.Sequential(
        [keras.Input((32, 32, 3)), keras.layers.Conv2D(3, 3, padding="same")]
    )


def save(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras calls .h5 legacy
        model().save(path)
    return path


def export(path):
    model().export(str(path), verbose=False)
    return path


def lower(path):
    with third_party():
        made = tf.lite.TFLiteConverter.from_keras_model(model()).convert()
    path.write_bytes(made)
    return path


# How a model of each format is made
MAKERS = {
    "hdf5": lambda folder: save(folder / "model.h5"),
    "keras_file": lambda folder: save(folder / "model.keras"),
    "savedmodel": lambda folder: export(folder / "model"),
    "tflite": lambda folder: lower(folder / "model.tflite"),
}


def test_every_format_is_made_here():
    assert sorted(MAKERS) == list(FORMATS.names())


@pytest.mark.parametrize("name", FORMATS.names())
def test_every_format_keeps_the_contract(name, tmp_path):
    check_format(FORMATS.load(name)(), MAKERS[name](tmp_path))


Hdf5 = FORMATS.load("hdf5")


class Greedy(Hdf5):
    def claims(self, path):
        return True


class Heavy(Hdf5):
    def claims(self, path):
        import colorsys  # noqa: F401

        return super().claims(path)


class Undecided(Hdf5):
    added = 0

    def read(self, path, loading):
        raw = super().read(path, loading)
        self.added += 1
        raw.model.set_weights([w + self.added for w in raw.model.get_weights()])
        return raw


class Slanted(Hdf5):
    def read(self, path, loading):
        return dataclasses.replace(super().read(path, loading), resize="slanted")


class Boastful(Hdf5):
    def read(self, path, loading):
        return dataclasses.replace(super().read(path, loading), size_fixed=True)


class Careless(Hdf5):
    def read(self, path, loading):
        try:
            return super().read(path, loading)
        except ModelError:
            return None


class Writing(Hdf5):
    def read(self, path, loading):
        raw = super().read(path, loading)
        path.write_bytes(path.read_bytes() + b"\0")
        return raw


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (Greedy, "no empty folder"),
        (Heavy, "imports nothing"),
        (Undecided, "other weights"),
        (Slanted, "resize is one of"),
        (Boastful, "size_fixed"),
        (Careless, "damaged model was read"),
        (Writing, "leaves the model"),
    ],
)
def test_a_broken_format_is_found(broken, rule, tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    path = MAKERS["hdf5"](tmp_path)
    with pytest.raises(AssertionError, match=rule):
        check_format(broken(), path)
