from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.devices import InputError, UnknownPluginError
from edgeseg.runtime import Manifest
from edgeseg.runtime.drawing.look import Look, check_look, shown_ids

ANIMALS = Manifest(labels=("background", "cat", "dog"))

looks = st.builds(
    Look,
    effect=st.text(),
    alpha=st.floats(0, 1, allow_subnormal=False),
    classes=st.lists(st.text()).map(tuple),
    contours=st.booleans(),
    legend=st.booleans(),
    statistics=st.booleans(),
)


@given(looks)
def test_a_look_survives_json(look):
    assert Look.from_dict(json.loads(json.dumps(look.to_dict()))) == look


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"colour": 1}, "unknown key 'colour'"),
        ({"a" * 500: 1}, r"unknown key 'a+ \.\.\. a+'; known: "),
        ({"alpha": "0.5"}, "alpha: expected a number"),
        ({"alpha": True}, "alpha: expected a number"),
        ({"alpha": 1.5}, "alpha: expected a number 0..1, got 1.5"),
        ({"alpha": float("nan")}, "alpha: expected a number 0..1"),
        ({"contours": 1}, "contours: expected true or false"),
        ({"classes": "dog"}, "classes: expected a list of class names"),
        ({"classes": [1]}, "classes: expected a list of class names"),
        ({"effect": None}, "effect: expected text"),
        (
            {"edges": "fuzzy"},
            "edges: expected one of guided, smooth, hard, got 'fuzzy'",
        ),
    ],
)
def test_a_bad_value_names_its_key(values, words):
    with pytest.raises(InputError, match=words):
        Look.from_dict(values)


def test_background_is_not_shown_unless_named():
    assert np.flatnonzero(shown_ids(Look(), ANIMALS)).tolist() == [1, 2]
    named = Look(classes=("Background", "dog"))
    assert np.flatnonzero(shown_ids(named, ANIMALS)).tolist() == [0, 2]


def test_ids_do_for_a_model_without_labels():
    assert np.flatnonzero(shown_ids(Look(classes=("7",)), Manifest())).tolist() == [7]
    assert shown_ids(Look(), Manifest()).sum() == 255


def test_what_is_not_there_is_refused_with_what_is():
    with pytest.raises(InputError, match="unknown class 'cow'; known: background, cat"):
        check_look(Look(classes=("cow",)), ANIMALS)
    with pytest.raises(UnknownPluginError, match="unknown effect 'glow'; known: "):
        check_look(Look(effect="glow"), ANIMALS)
    check_look(Look(classes=("cat",)), ANIMALS)
