"""The ranges of the model that ships, on processors that fold and name otherwise.

Seen to differ between processors: the last bits of folded weights, which of the equal
constants TensorFlow makes one, and so the names of tensors.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from unittest import mock

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from emulated.conversion import (
    FLOAT,
    RESULT,
    SHIPPED,
    convert_uncompared,
    shipped_request,
)
from emulated.difference import difference
from graphs import RENAMES, perturbed

from edgeseg.converter.conversion import float_model
from edgeseg.converter.conversion import float_model as lower
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.origin import Origin
from edgeseg.converter.quantization.ranges_file import SavedRanges
from edgeseg.converter.shipped import ranges_file
from edgeseg.runtime.shipped import model_file

# what some processors give as the reciprocal square root of 1, others in proportion
ONE_LESS = np.float32(1 - 2.0**-23)
# of a step: channels with a large bias have one that follows the bias' last bits
LAST_BITS = 1e-6
BIAS_STEPS = 4  # of 2**31


NAMES = (SHIPPED, "animals")  # the latter keeps its norms as they were trained


@pytest.fixture(scope="module")
def convert(tmp_path_factory):
    """Convert a shipped model; return the float network and the int8 file."""

    def run(name):
        folder = tmp_path_factory.mktemp("converted")
        given = {"request": shipped_request(name).to_dict(), "folder": str(folder)}
        convert_uncompared(given, lambda line: None)
        return [(folder / file).read_bytes() for file in (FLOAT, RESULT)]

    return run


@pytest.fixture(scope="module")
def usual(convert):
    return {name: convert(name) for name in NAMES}


def check_ranges_load_alike(name, first, second):
    stored = json.loads(ranges_file(name).read_text())
    origin = Origin(stored["weights_sha256"], stored["options"])
    one, two = (
        SavedRanges(ranges_file(name)).ranges(FlatModel(content), origin)
        for content in (first, second)
    )
    for kind in ("central", "extremes"):
        bounds = [list(getattr(ranges, kind).values()) for ranges in (one, two)]
        assert bounds[0] == bounds[1]
        assert len(bounds[0]) > 60
    assert list(one.rounded) == list(two.rounded)
    for place, weights in one.rounded.items():
        for part in ("scales", "steps", "correction"):
            values = (getattr(of, part) for of in (weights, two.rounded[place]))
            np.testing.assert_array_equal(*values)


def check_int8(name, made):
    """Check a file against the shipped one; biases hold last bits of floats."""
    found = difference(model_file(name).read_bytes(), made)
    assert found["structure_equal"]
    assert found["constants"]["int8"]["values"] > 2_000_000
    assert found["constants"]["int8"]["values_different"] == 0
    assert found["constants"]["int32"]["most"] <= BIAS_STEPS
    assert found["most_relative_difference_of_a_step"] < LAST_BITS


@pytest.mark.parametrize("name", NAMES)
def test_this_machine_makes_the_shipped_file(name, usual):
    assert usual[name][1] == model_file(name).read_bytes()


@pytest.mark.long
@pytest.mark.parametrize("rename", RENAMES)
@pytest.mark.parametrize("name", NAMES)
def test_last_bits_and_names_do_not_matter(name, rename, usual, convert):
    lowered = lower._lowered

    def elsewhere(model):
        return perturbed(lowered(model), rename=RENAMES[rename])

    with mock.patch.object(lower, "_lowered", elsewhere):
        content, made = convert(name)
    found = difference(usual[name][0], content)["constants"]["float32"]
    assert found["tensors_different"] == found["tensors"]
    assert found["most"] == 2
    check_ranges_load_alike(name, usual[name][0], content)
    check_int8(name, made)


@contextmanager
def nudged(model):
    """Move variances: their reciprocal square roots become `ONE_LESS` as large."""
    held = {}
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            variance = held[layer] = layer.moving_variance.numpy()
            whole = variance.astype(np.float64) + layer.epsilon
            other = whole / np.float64(ONE_LESS) ** 2 - layer.epsilon
            layer.moving_variance.assign(other.astype(np.float32))
    yield
    for layer, variance in held.items():
        layer.moving_variance.assign(variance)


@pytest.mark.long
@pytest.mark.parametrize("fold", [True, False], ids=["folded", "left to TensorFlow"])
def test_an_approximate_reciprocal_root_does_not_matter(fold, usual, convert):
    whole = float_model.lower

    def elsewhere(model, **_):
        with nudged(model):
            return whole(model, fold=fold)

    with mock.patch.object(float_model, "lower", elsewhere):
        content, made = convert("animals")
    usually = usual["animals"][0]
    found = difference(usually, content)["constants"]["float32"]
    assert found["values_different"] > 500_000
    check_ranges_load_alike("animals", usually, content)
    check_int8("animals", made)
    if fold:  # else names are TensorFlow's, and bits the processor's
        assert made == model_file("animals").read_bytes()
