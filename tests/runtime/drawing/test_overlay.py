from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.runtime.drawing.overlay import (
    blend,
    colour_table,
    legend,
    mask_of,
    on_black,
    outline,
)


def shown(*ids):
    chosen = np.zeros(256, bool)
    chosen[list(ids)] = True
    return chosen


@pytest.fixture
def frame():
    return np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


@pytest.fixture
def ids():
    return np.random.default_rng(1).integers(0, 3, (60, 90), dtype=np.uint8)


def test_alpha_goes_from_the_frame_to_the_colours(frame, ids):
    table = colour_table(())
    some = shown(1, 2)
    np.testing.assert_array_equal(blend(frame, ids, table, alpha=0, shown=some), frame)
    painted = blend(frame, ids, table, alpha=1, shown=some)
    np.testing.assert_array_equal(painted[ids > 0], table[ids[ids > 0]])
    np.testing.assert_array_equal(painted[ids == 0], frame[ids == 0])


@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.floats(0, 1, allow_subnormal=False),
    st.sets(st.integers(0, 255)),
    st.integers(0, 2**32 - 1),
)
def test_the_tint_is_what_the_formula_says(size, alpha, chosen, seed):
    rng = np.random.default_rng(seed)
    frame = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    ids = rng.choice(np.array([0, 1, 7, 255], np.uint8), size)
    table = colour_table(())
    before = frame.copy()
    drawn = blend(frame, ids, table, alpha=alpha, shown=shown(*chosen))
    mean = (1 - alpha) * frame + alpha * table[ids].astype(float)
    expected = np.where(np.isin(ids, list(chosen))[..., None], mean, frame)
    # half a grey level of rounding, and that of float32 sums of 255
    np.testing.assert_allclose(drawn, expected, atol=0.5 + 1e-4)
    np.testing.assert_array_equal(frame, before)
    assert drawn is not frame


def test_what_is_not_shown_is_untouched_and_the_frame_is_not_changed(frame):
    before = frame.copy()
    ids = np.zeros((60, 90), np.uint8)
    ids[5:15, 5:15] = 1
    table = colour_table(((0, 0, 0), (10, 200, 30)))
    tinted = blend(frame, ids, table, alpha=0.5, shown=shown(1))
    np.testing.assert_array_equal(tinted[ids == 0], frame[ids == 0])
    drawn = outline(tinted, ids, table, shown=shown(1))
    np.testing.assert_array_equal(drawn[5, 5:15], np.tile([10, 200, 30], (10, 1)))
    np.testing.assert_array_equal(drawn[ids == 0], frame[ids == 0])
    np.testing.assert_array_equal(drawn[8, 8], tinted[8, 8])
    named = legend(drawn, ["bright"], [(10, 200, 30)])
    assert (named != drawn).any()
    np.testing.assert_array_equal(frame, before)


def test_a_class_that_is_not_shown_has_no_border(frame, ids):
    drawn = outline(frame, ids, colour_table(()), shown=shown())
    np.testing.assert_array_equal(drawn, frame)


def test_the_mask_is_the_shown_classes(ids):
    np.testing.assert_array_equal(mask_of(ids, shown(2)), 255 * (ids == 2))


def test_what_is_cut_out_lies_on_black(frame):
    alpha = np.zeros((60, 90, 1), np.uint8)
    alpha[:30] = 255
    flat = on_black(np.concatenate([frame, alpha], axis=2))
    np.testing.assert_array_equal(flat[:30], frame[:30])
    assert not flat[30:].any()
