"""The recipe of the tests' model: it learns, and its file is complete."""

from __future__ import annotations

import numpy as np
import pytest
import train_shapes as shapes

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter.loading.load import load_keras


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning")
def test_training_lowers_the_loss_and_writes_a_loadable_model(tmp_path, monkeypatch):
    monkeypatch.setattr(shapes, "_STEPS", 4)
    first = shapes.train(tmp_path / "a.keras", epochs=1)
    later = shapes.train(tmp_path / "b.keras", epochs=3)
    assert later < first
    model = load_keras(tmp_path / "b.keras")
    assert tuple(model.output.shape) == (1, 129, 129, 4)


def test_the_golden_file_is_this_network(shapes_keras):
    shipped, fresh = load_keras(shapes_keras), shapes.build()
    expected = [tuple(weight.shape) for weight in fresh.weights]
    got = [tuple(weight.shape) for weight in shipped.weights]
    np.testing.assert_equal(got, expected)
