"""Views of rare classes show them, and show them more often than chance would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.converter.training.data.augmentation import take_view, view_of
from edgeseg.converter.training.data.rare import RareClasses, pixel_of
from edgeseg.runtime.model.labels import VOID


@given(
    st.integers(0, 2**32),
    st.integers(1, 90),
    st.integers(1, 90),
    st.integers(5, 80),
    st.integers(5, 80),
)
def test_a_view_shows_the_pixel_that_it_is_of(seed, height, width, high, wide):
    rng = np.random.default_rng(seed)
    frame = np.zeros((height, width, 3), np.uint8)
    at = int(rng.integers(height)), int(rng.integers(width))
    view = view_of(rng, at, (height, width), (high, wide))
    # its centre lies on the canvas, where no rounding to a neighbour is in the way
    row, column = (
        (p + 0.5) * view.scale + o for p, o in zip(at, view.offset_yx, strict=True)
    )
    if view.flip:
        column = wide - column
    assert -1e-6 <= row <= high + 1e-6
    assert -1e-6 <= column <= wide + 1e-6
    _, ids = take_view(frame, np.zeros((height, width), np.uint8), view, (high, wide))
    if min(height, width) * view.scale > 2:
        assert (ids != VOID).any()


def test_a_class_of_few_pixels_is_drawn_more_often_than_they_are():
    counts = np.array([[9_000, 0], [9_000, 0], [8_800, 200]])
    rare = RareClasses(counts, 0.5)
    rng = np.random.default_rng(1)
    drawn = [rare.draw(rng) for _ in range(2_000)]
    share = np.mean([class_id for _, class_id in drawn])
    assert 0.07 < share < 0.14  # 0.7 % of the pixels
    assert {index for index, class_id in drawn if class_id == 1} == {2}


def test_a_class_that_no_picture_has_is_never_drawn():
    rare = RareClasses(np.array([[10, 0, 5], [10, 0, 0]]), 1.0)
    rng = np.random.default_rng(2)
    assert {class_id for _, class_id in (rare.draw(rng) for _ in range(300))} == {0, 2}


@pytest.mark.parametrize("seed", range(5))
def test_a_pixel_is_of_its_class(seed):
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, 3, (17, 23)).astype(np.uint8)
    assert ids[pixel_of(rng, ids, 2)] == 2
