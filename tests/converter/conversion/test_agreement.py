"""A result that answers otherwise than float too often is not written silently."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter import convert
from edgeseg.converter.conversion.agreement import LowAgreement
from edgeseg.converter.conversion.text import conversion_text
from edgeseg.converter.frameworks import need

pytestmark = pytest.mark.long  # converts networks


@pytest.fixture(scope="module")
def uneven(tmp_path_factory, calibration):
    """Save a network whose int8 result cannot resolve its scores.

    One channel is a thousand times larger than those that decide.
    """
    keras = need("keras")
    image = keras.Input((64, 64, 3))
    first = keras.layers.Conv2D(3, 1)
    x = keras.layers.Conv2D(2, 1, name="scores")(first(image))
    model = keras.Model(image, x)
    first.set_weights([np.diag([1.0, 1.0, 400.0]).reshape(1, 1, 3, 3), np.zeros(3)])
    kernel = np.array([[1.0, 0], [0, 1.0], [0, 0]]).reshape(1, 1, 3, 2)
    model.get_layer("scores").set_weights([kernel, np.zeros(2)])
    path = tmp_path_factory.mktemp("uneven") / "net.keras"
    model.save(path)
    return convert(path, calibration=calibration, output=path.with_suffix(".tflite"))


def test_layers_and_options_are_named(uneven):
    assert uneven.int8_parity.agreement < 0.97
    low = uneven.details["low_agreement"]
    assert low["layers"]
    assert low["recipes"]["int16x8"] > 0.99
    text = conversion_text(uneven)
    assert "warning: only " in text
    assert "--recipe int16x8 keeps 99" in text or "--recipe int16x8 keeps 100" in text


def test_recipes_that_do_not_help_are_not_advised():
    low = LowAgreement(0.9, ("a",), {"int16x8": 0.8, "int8-mixed": 0.95})
    assert "--recipe int8-mixed keeps 95.00%" in low.text
    assert "int16x8" not in low.text
