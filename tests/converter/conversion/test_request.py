"""A request travels to another process as JSON and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.converter.conversion.request import Request, Scoring
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.quantization.heads import HEADS, INTERFACES
from edgeseg.converter.recipes import recipe_names
from edgeseg.devices import InputError
from edgeseg.runtime import Overrides
from edgeseg.runtime.accuracy.matching import Matching

paths = st.sampled_from([Path("/a/model.keras"), Path("/b c/photos"), Path("/ü")])
names = st.text(min_size=1, max_size=8)
sides = st.integers(1, 2000)

requests = st.builds(
    Request,
    model=paths,
    calibration=st.none() | paths,
    recipe=st.sampled_from(recipe_names()),
    head=st.sampled_from(HEADS),
    io=st.none() | st.sampled_from(INTERFACES),
    pooling=st.sampled_from(["resize", "tile", "split"]),
    loading=st.builds(
        Loading,
        arch=st.none() | names,
        size=st.none() | st.tuples(sides, sides),
        output_stride=st.sampled_from([None, 8, 16]),
        resize=st.sampled_from([None, "legacy"]),
        trust=st.booleans(),
    ),
    overrides=st.builds(
        Overrides,
        labels=st.none() | names,
        normalize=st.none() | st.tuples(st.floats(-9, 9), st.floats(1, 9)),
        bgr=st.booleans(),
        stretch=st.booleans(),
    ),
    scoring=st.none()
    | st.builds(
        Scoring,
        dataset=paths,
        split=names,
        matching=st.builds(
            Matching, st.none() | st.lists(names, max_size=3).map(tuple), st.booleans()
        ),
        max_drop=st.none() | st.floats(0, 100),
    ),
    report=st.none() | paths,
)


@given(requests)
def test_a_request_survives_json(request):
    text = json.dumps(request.to_dict())
    assert Request.from_dict(json.loads(text)) == request


def test_scoring_keeps_the_keys_of_earlier_reports_in_their_order():
    scoring = Scoring(Path("/voc"), matching=Matching(("cat",), True), max_drop=0.1)
    assert list(scoring.to_dict().items()) == [
        ("dataset", "/voc"),
        ("split", "val"),
        ("classes", ["cat"]),
        ("merge_others", True),
        ("max_drop", 0.1),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head": "scores"}, "auto, logits, logits-stride, labels; got 'scores'"),
        ({"io": "int4"}, "int8, uint8, float32; got 'int4'"),
        ({"pooling": "x"}, "resize, tile, split; got 'x'"),
        ({"recipe": "int3"}, "unknown recipe 'int3'"),
        ({}, "needs --calibration"),
        ({"recipe": "float16", "io": "int8"}, "computes in float"),
    ],
)
def test_what_can_be_told_wrong_beforehand(options, message):
    with pytest.raises(InputError, match=message):
        Request(Path("model.keras"), **options).check()


def test_a_recipe_that_computes_in_float_needs_no_photos():
    request = Request(Path("model.keras"), recipe="float32")
    request.check()
    assert request.saved_ranges is None
