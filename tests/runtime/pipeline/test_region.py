from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.devices import InputError, TensorSpec
from edgeseg.devices.boards.fake import Fake
from edgeseg.runtime import Capture, Manifest, PipelineOptions, Segmenter
from edgeseg.runtime.pipeline.region import Region
from edgeseg.runtime.pipeline.segmenting import Inference

IMAGE = TensorSpec("image", (1, 16, 16, 3), "uint8", 1 / 128, 128)
IDS = TensorSpec("ids", (1, 16, 16), "int32")


def inference(region, labels=()):
    model = Segmenter(Fake((IMAGE,), (IDS,)), Manifest(labels=labels))
    return Inference(model, PipelineOptions(region=region))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,2,3",
        "a,b,c,d",
        "0,0,0,0",
        "0,0,1,0",
        "-1,0,5,5",
        "0.5,0,0.6,1",
        "nan,0,5,5",
        "0,0,inf,5",
    ],
)
def test_what_is_no_region_is_refused(text):
    with pytest.raises(InputError, match="region: expected X,Y,WIDTH,HEIGHT"):
        Region.parse(text)


@given(
    st.tuples(st.integers(2, 300), st.integers(2, 300)),
    st.tuples(*[st.integers(0, 400)] * 2),
    st.tuples(*[st.integers(2, 400)] * 2),
)
def test_a_region_stays_within_the_frame(frame_hw, corner, size):
    region = Region(*corner, *size)
    if corner[0] >= frame_hw[1] or corner[1] >= frame_hw[0]:
        with pytest.raises(InputError, match="has no pixel in a frame of"):
            region.within(frame_hw)
        return
    rows, columns = region.within(frame_hw)
    assert 0 <= rows.start < rows.stop <= frame_hw[0]
    assert 0 <= columns.start < columns.stop <= frame_hw[1]
    assert (columns.start, rows.start) == corner


def test_fractions_are_of_the_frame():
    rows, columns = Region.parse("0.25,0,0.5,1").within((48, 64))
    assert (rows, columns) == (slice(0, 48), slice(16, 48))


def test_only_the_region_is_segmented_and_ids_have_the_frame_s_size():
    frame = np.full((48, 64, 3), 250, np.uint8)
    ids = inference(Region(8, 4, 20, 30)).segment(Capture(frame, "a", 0.0)).ids
    whole = inference(None).segment(Capture(frame, "a", 0.0)).ids
    inside = np.zeros((48, 64), bool)
    inside[4:34, 8:28] = True
    assert ids.shape == (48, 64)
    assert not ids[~inside].any()
    np.testing.assert_array_equal(ids[inside], whole[inside])
    assert whole.all()


def test_outside_is_background_or_void():
    frame, region = np.zeros((48, 64, 3), np.uint8), Region(0, 0, 8, 8)
    late = inference(region, ("a", "background")).segment(Capture(frame, "a", 0.0))
    assert late.ids[-1, -1] == 1
    none = inference(region, ("road", "car")).segment(Capture(frame, "a", 0.0))
    assert none.ids[-1, -1] == 255
